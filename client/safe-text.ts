// Control, format, surrogate, unassigned and private-use characters, and line separators: whatever could move the cursor, or
// make a text look like another one.
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu
const BEYOND_ASCII = /[^\x20-\x7e]/gu

/** Text of a server, fit for a terminal: what could steer it stands there as an escape such as `\u{1b}`. */
export function safeText(text: string, unicode: boolean): string {
  return text.replace(unicode ? UNSAFE : BEYOND_ASCII, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`)
}

/** JSON on one line, fit for a terminal. JSON.stringify itself escapes nothing above U+001F. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (char) =>
    [...Array(char.length).keys()].map((i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  )
}
