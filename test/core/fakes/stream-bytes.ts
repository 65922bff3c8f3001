/** Streams whose bytes can be computed, and checked, at any offset. */
import type { BorrowedBytes } from '../../../core/index.js'

/** The byte at `offset` of stream number `stream`: any part of any stream can be checked without keeping the whole. */
export function byteAt(stream: number, offset: number): number {
  let mixed = Math.imul(stream + 1, 0x9e3779b1) ^ Math.imul(offset + 1, 0x85ebca6b)
  mixed ^= mixed >>> 15
  mixed = Math.imul(mixed, 0x2c1b3c6d)
  const byte = (mixed ^ (mixed >>> 13)) & 0xff
  // Not as WebM does.
  return offset === 0 && byte === 0x1a ? 0 : byte
}

/** The bytes of a stream from `from` on. */
export function streamBytes(stream: number, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = byteAt(stream, from + i)
  return bytes
}

/**
 * Lends the bytes of a stream for one call, as a transport does, and overwrites all of them when the call returns: code that
 * kept the loan instead of a copy is found out.
 */
export function lend(stream: number, from: number, length: number, use: (bytes: BorrowedBytes) => void): Uint8Array {
  const loan = streamBytes(stream, from, length)
  use(loan)
  for (let i = 0; i < length; i++) loan[i] = loan[i]! ^ 0xff
  return loan
}
