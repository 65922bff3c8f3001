import type { BorrowedBytes } from '../bytes.js'

/** Variable-size integers of EBML (RFC 8794, section 4): the leading zeros of the first byte say how many bytes follow it. */

/** How many bytes a variable-size integer has that begins with this byte: 1 to 8, or 9 when that is none. */
export function vintLength(first: number): number {
  return Math.clz32(first) - 23
}

/** A number of `length` bytes, most significant first. Beyond 2^53 it is rounded. */
export function uint(bytes: BorrowedBytes, from: number, length: number): number {
  return append(0, bytes, from, from + length)
}

/** The value of a variable-size integer of `length` bytes. Beyond 2^53 it is rounded. */
export function vint(bytes: BorrowedBytes, from: number, length: number): number {
  // Without its marker from the start: with it every number of 8 bytes would be rounded.
  return append(bytes[from]! - (0x100 >> length), bytes, from + 1, from + length)
}

function append(high: number, bytes: BorrowedBytes, from: number, to: number): number {
  let value = high
  for (let i = from; i < to; i++) value = value * 256 + bytes[i]!
  return value
}

/** Whether all bits of it but the marker are 1: as a size that says "unknown", as an ID it is none. */
export function isAllOnes(bytes: BorrowedBytes, from: number, length: number): boolean {
  if (bytes[from] !== 0x1ff >> length) return false
  for (let i = from + 1; i < from + length; i++) if (bytes[i] !== 0xff) return false
  return true
}
