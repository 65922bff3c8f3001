/** Writes a body as fast as the socket takes it. */

import type { Socket } from 'node:net'
import { CHUNK, MAX_PIECE, PATTERN, PERIOD, patternAt } from './pattern.js'

/** `raw` and `length` look the same on the wire. */
export type Framing = 'length' | 'chunked' | 'raw'

export interface BodyPlan {
  readonly framing: Framing
  /** Bytes of the body, without framing. */
  readonly bytes: number
  /** Bytes of one write, at most 4 MiB. Chunked bodies go out as chunks of 64 KiB, 17 to a write. */
  readonly piece?: number
}

/** The pieces of a body, one at a time; undefined at its end. Allocates nothing but views. */
export function bodyPieces(plan: BodyPlan): () => Buffer | undefined {
  return plan.framing === 'chunked' ? chunkedPieces(plan.bytes) : plainPieces(plan.bytes, plan.piece ?? PERIOD)
}

function plainPieces(bytes: number, piece: number): () => Buffer | undefined {
  if (piece > MAX_PIECE) throw new Error(`a piece has at most ${MAX_PIECE} bytes`)
  let sent = 0
  return () => {
    const length = Math.min(piece, bytes - sent)
    if (length === 0) return undefined
    const bytesOut = patternAt(sent, length)
    sent += length
    return bytesOut
  }
}

const END_OF_CHUNKS = Buffer.from('0\r\n\r\n')

function chunkedPieces(bytes: number): () => Buffer | undefined {
  const ring = chunked(PATTERN.subarray(0, PERIOD))
  let sent = 0
  let ended = false
  return () => {
    if (ended) return undefined
    const left = bytes - sent
    sent += Math.min(left, PERIOD)
    if (left >= PERIOD) return ring
    ended = true
    return left === 0 ? END_OF_CHUNKS : Buffer.concat([chunked(PATTERN.subarray(0, left)), END_OF_CHUNKS])
  }
}

/** `bytes` as chunks of 64 KiB, the last one shorter. */
export function chunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK)
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

/** Writes all pieces, each when the one before has been taken. Calls `flushed` after the last one. */
export function writeBody(socket: Socket, next: () => Buffer | undefined, flushed: () => void): void {
  const more = (): void => {
    if (socket.destroyed) return
    const piece = next()
    if (piece === undefined) flushed()
    else socket.write(piece, more)
  }
  more()
}
