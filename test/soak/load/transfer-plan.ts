/** What one transfer of the load is like, drawn at random. */

import type { Random } from '../../model/random.js'
import type { Way } from '../../support/peer.js'

const KIB = 1024

export interface ReceiverPlan {
  /** The first byte that it asks for; 0 asks without a Range. */
  readonly rangeFrom: number
  readonly http10: boolean
  readonly readBytes: number
  /** It stops reading at this byte for so long. */
  readonly pause: { readonly at: number; readonly ms: number } | undefined
  readonly leaves: { readonly at: number; readonly way: Way } | undefined
}

export interface TransferPlan {
  readonly name: string
  readonly seed: number
  readonly bytes: number
  readonly framing: 'length' | 'chunked' | 'form'
  readonly http10: boolean
  readonly replyAtEnd: boolean
  readonly senderFirst: boolean
  readonly piece: number
  readonly pauseMs: number
  readonly leaves: { readonly at: number; readonly way: Way } | undefined
  readonly receivers: readonly ReceiverPlan[]
}

/** @param isTls HTTP/1.0 is spoken over plain TCP only, and over TLS there is no half-closed connection */
export function drawTransfer(random: Random, id: number, isTls: boolean): TransferPlan {
  const bytes = drawBytes(random)
  const http10 = !isTls && random.chance(8)
  const framing = http10 ? 'length' : random.pick(['length', 'length', 'chunked', 'chunked', 'form'] as const)!
  const n = random.chance(70) ? 1 : random.between(2, 5)
  const ways: readonly Way[] = isTls ? ['destroy', 'reset'] : ['destroy', 'reset', 'halfClose']
  const canRange = framing === 'length' && bytes > 1
  return {
    name: `soak-${id}`,
    seed: id,
    bytes: framing === 'form' ? Math.max(1, bytes) : bytes,
    framing,
    http10,
    replyAtEnd: http10 || random.chance(15),
    senderFirst: random.chance(50),
    piece: random.pick([100, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB].filter((piece) => bytes / piece < 200))!,
    pauseMs: random.chance(15) ? random.between(1, 40) : 0,
    leaves: random.chance(12) && bytes > 1 ? { at: random.below(bytes), way: random.pick(ways)! } : undefined,
    receivers: Array.from({ length: n }, () => ({
      rangeFrom: canRange && random.chance(15) ? random.between(1, bytes - 1) : 0,
      http10: !isTls && random.chance(10),
      readBytes: random.pick([1000, 16 * KIB, 64 * KIB])!,
      pause: random.chance(20) ? { at: random.below(bytes + 1), ms: random.between(10, 400) } : undefined,
      leaves: random.chance(8)
        ? { at: random.below(bytes + 1), way: random.pick(['destroy', 'reset'] as const)! }
        : undefined,
    })),
  }
}

function drawBytes(random: Random): number {
  const kind = random.below(100)
  if (kind < 4) return random.below(2)
  if (kind < 55) return random.below(64 * KIB)
  if (kind < 88) return random.below(512 * KIB)
  return random.below(4096 * KIB)
}
