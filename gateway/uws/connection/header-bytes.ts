/**
 * Header values are Latin-1 in this gateway: one character for each byte. uWebSockets writes a string as UTF-8, so only ASCII
 * may be given to it as a string; anything else has to be given as bytes, or the receiver gets other bytes than came in.
 */
export function headerBytes(value: string): string | Buffer {
  return isAscii(value) ? value : Buffer.from(value, 'latin1')
}

/** Whether the text is the same in UTF-8 and Latin-1. */
export function isAscii(value: string): boolean {
  return /^[\x00-\x7f]*$/.test(value)
}
