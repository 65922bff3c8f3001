/** EBML (RFC 8794), as far as the beginning of a WebM needs it. No DOM. */

export interface Element {
  readonly id: number
  /** Where its data begins and ends. `end` is Infinity when its size is unknown, and may lie behind what has come. */
  readonly start: number
  readonly end: number
}

/** The element that begins at `at`; undefined when its head has not come yet. @throws RangeError for what is no element */
export function elementAt(bytes: Uint8Array, at: number): Element | undefined {
  const idLength = lengthOf(bytes[at], 4)
  const sizeAt = at + idLength
  if (sizeAt >= bytes.length) return undefined
  const sizeLength = lengthOf(bytes[sizeAt], 8)
  const start = sizeAt + sizeLength
  if (start > bytes.length) return undefined
  const size = sized(bytes, sizeAt, sizeLength)
  return { id: unsigned(bytes, at, sizeAt), start, end: start + size }
}

/** Elements within a range, all of whose bytes are there. @throws RangeError when one is longer than what it is in */
export function children(bytes: Uint8Array, { start, end }: Element): Element[] {
  const found: Element[] = []
  for (let at = start; at < end; at = found.at(-1)!.end) {
    const next = elementAt(bytes, at)
    if (next === undefined || next.end > end) throw new RangeError('an element is longer than what it is in')
    found.push(next)
  }
  return found
}

export function unsigned(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 256 + bytes[at]!
  return value
}

export function text(bytes: Uint8Array, { start, end }: Element): string {
  return String.fromCharCode(...bytes.subarray(start, end)).replace(/\0.*$/s, '')
}

function lengthOf(first: number | undefined, most: number): number {
  // Before it has come, it needs one byte more than there are.
  if (first === undefined) return 1
  const length = Math.clz32(first) - 23
  if (length > most) throw new RangeError('no EBML element')
  return length
}

function sized(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at]! & (0xff >> length)
  const rest = unsigned(bytes, at + 1, at + length)
  const isUnknown = first === 0xff >> length && rest === 256 ** (length - 1) - 1
  return isUnknown ? Number.POSITIVE_INFINITY : first * 256 ** (length - 1) + rest
}
