/** The part of a stream that a receiver asks for, because it has what comes before. Offsets of bytes, both included. */
export interface Range {
  readonly first: number
  /** `Infinity`: to the end, wherever that is. */
  readonly last: number
}

/**
 * Whether this part is given of a stream of this length. It is when it reaches to the end; otherwise the receiver gets the whole
 * stream, as it does when the length is unknown.
 */
export function isServed({ first, last }: Range, length: number | undefined): boolean {
  return length !== undefined && first < length && last >= length - 1
}

/** Whether a stream of this length has nothing of this part. What begins at the first byte of nothing is nothing, not beyond it. */
export function isBeyond({ first }: Range, length: number | undefined): boolean {
  return length !== undefined && first > 0 && first >= length
}
