/** As long as a name may be, with room for the escapes. */
const MAX_NAME = 1200
const MAX_TEXT = 200

/**
 * The name in a path, as it is spelled in a pipe's key: without prefix, escapes in upper case, and whatever is not
 * printable ASCII as an escape. A refused request's path may be anything.
 */
export function nameOf(path: string, prefix: string): string {
  const below = path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
  return escapedName(below.replace(/^\//, '').replace(/%[0-9a-f]{2}/gi, (each) => each.toUpperCase()))
}

export function escapedName(name: string): string {
  const ascii = name.replace(/[^\x21-\x7e]+/g, (found) =>
    encodeURIComponent(found.replace(/\p{Surrogate}/gu, '\ufffd')),
  )
  return ascii.length > MAX_NAME ? `${ascii.slice(0, MAX_NAME)}...` : ascii
}

/** A text from outside that is neither name nor address: without what a terminal would obey, and not too long. */
export function printable(text: string): string {
  return text.slice(0, MAX_TEXT).replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?')
}
