/** The bytes of every load: a fixed random stream that repeats, so that both ends know each byte by its offset. */

import { createCipheriv } from 'node:crypto'

/** Bytes of one chunk of a chunked body, as many as `curl -T -` sends at once. */
export const CHUNK = 64 * 1024

/** The stream repeats after this many bytes: whole chunks, and no power of two, so that a shifted stream does not match. */
export const PERIOD = 17 * CHUNK

/** The most bytes that can be sent or compared at once. */
export const MAX_PIECE = 4 * 1024 * 1024

/** Long enough for a piece from any offset. AES in counter mode over zeros is random, fast, and the same everywhere. */
export const PATTERN = repeat(createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)), PERIOD + MAX_PIECE)

function repeat(cipher: { update(data: Buffer): Buffer }, length: number): Buffer {
  const period = cipher.update(Buffer.alloc(PERIOD))
  return Buffer.alloc(length, period)
}

/** The `length` bytes at `offset` of the stream, not copied. */
export function patternAt(offset: number, length: number): Buffer {
  const from = offset % PERIOD
  return PATTERN.subarray(from, from + length)
}

/** Throws when `bytes[from, to)` is not what the stream has at `offset`. Copies and allocates nothing. */
export function expectPattern(bytes: Buffer, from: number, to: number, offset: number): void {
  const at = offset % PERIOD
  if (bytes.compare(PATTERN, at, at + to - from, from, to) === 0) return
  for (let i = from; i < to; i++) {
    if (bytes[i] !== PATTERN[at + i - from]) throw new Error(`a wrong byte at offset ${offset + i - from} of the body`)
  }
}
