/**
 * Bodies whose every byte is right in one place only: each is a piece of one long random tape, from a start of its own. So
 * a byte that is lost, doubled, moved or another transfer's is seen, at the speed of a comparison of memory.
 */

import { Random } from '../model/random.js'

const MIB = 1024 * 1024
/** The longest body. */
export const LONGEST = 8 * MIB
const STARTS = 4 * MIB

const tape = makeTape(LONGEST + STARTS)

function makeTape(bytes: number): Buffer {
  const random = new Random(20261121)
  const words = new Uint32Array(bytes / 4)
  for (let i = 0; i < words.length; i++) words[i] = random.below(2 ** 32)
  return Buffer.from(words.buffer)
}

/** The body of this transfer. Not to be written to. */
export function bodyOf(transfer: number, bytes: number): Buffer {
  const start = new Random(transfer).below(STARTS)
  return tape.subarray(start, start + bytes)
}

/** Where a piece that stands at `offset` first differs from the body; undefined when it does not. */
export function differsAt(body: Buffer, piece: Buffer, offset: number): number | undefined {
  if (body.compare(piece, 0, piece.length, offset, Math.min(body.length, offset + piece.length)) === 0) return undefined
  for (let i = 0; i < piece.length; i++) if (piece[i] !== body[offset + i]) return offset + i
  return offset + piece.length
}
