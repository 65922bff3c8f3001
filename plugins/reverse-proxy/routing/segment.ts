/** Some servers cut the parameters of a segment off (RFC 3986, section 3.3), and normalise what is left. */
const PARAMETERS = /(?:;|%3B).*$/is
/** What some servers drop: control characters, and spaces, which Windows ignores at the end of a name. */
const IGNORED = /[\x00-\x20\x7f]|%[01][0-9A-F]|%20|%7F/gi

/** Whether some server reads this segment of a path as "." or "..". */
export function readsAsDots(segment: string): boolean {
  const plain = segment
    .replace(PARAMETERS, '')
    .replace(/%(?:25)+/g, '%')
    .replace(/%(?:u00)?2E/gi, '.')
  const left = plain.replace(IGNORED, '')
  // Of dots with spaces among them Windows makes fewer.
  return left === '.' || left === '..' || (left !== plain && /^\.+$/.test(left))
}
