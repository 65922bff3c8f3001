/** What one transfer of the chaos does, drawn from a seed and from nothing else. */

import { Random } from '../model/random.js'
import { WAYS, type Way } from '../support/peer.js'
import { LONGEST } from '../support/tape.js'

/** Where chunked framing is broken. */
export const MALFORMED = ['longer', 'shorter', 'no size', 'extension', 'no line break', 'not hex'] as const

export type SenderTrouble =
  | { readonly kind: 'none' }
  /** Ends its connection when so many bytes of the body have gone out; all of them: without a word to end them. */
  | { readonly kind: 'leave'; readonly at: number; readonly way: Way }
  /** Ends it after so many milliseconds, wherever it is. */
  | { readonly kind: 'leave later'; readonly ms: number; readonly way: Way }
  /** Ends it when it has read that its upload is complete. */
  | { readonly kind: 'leave when uploaded'; readonly way: Way }
  /** Closes its side behind its last byte, and reads on. */
  | { readonly kind: 'close behind' }
  | { readonly kind: 'freeze'; readonly at: number; readonly ms: number }
  | { readonly kind: 'trickle'; readonly at: number; readonly pieces: number }
  /** Sends more than it announced. */
  | { readonly kind: 'too much'; readonly extra: string }
  | { readonly kind: 'malformed'; readonly at: number; readonly how: (typeof MALFORMED)[number] }

export type ReceiverTrouble =
  | { readonly kind: 'none' }
  | { readonly kind: 'leave'; readonly at: number; readonly way: Way }
  | { readonly kind: 'leave later'; readonly ms: number; readonly way: Way }
  | { readonly kind: 'freeze'; readonly at: number; readonly ms: number }
  /** Stops reading for a while and then goes. */
  | { readonly kind: 'freeze and leave'; readonly at: number; readonly ms: number; readonly way: Way }
  /** Stops reading until the transfer is over. Only where `?stall` helps. */
  | { readonly kind: 'stuck'; readonly at: number }
  | { readonly kind: 'trickle'; readonly reads: number; readonly ms: number }
  /** Sends something while it downloads. */
  | { readonly kind: 'talk'; readonly at: number; readonly what: string }

export interface ReceiverPlan {
  readonly trouble: ReceiverTrouble
  readonly readBytes: number
  /** Milliseconds after the start. */
  readonly comesAfter: number
  /** It never comes. */
  readonly absent: boolean
  /** Asks for something else on the same connection when it has all. */
  readonly reuses: boolean
}

export interface Plan {
  readonly seed: number
  readonly name: string
  readonly n: number
  readonly bytes: number
  /** The body has a Content-Length; otherwise it is chunked. */
  readonly announced: boolean
  readonly query: string
  readonly stallMs: number
  readonly replyAtEnd: boolean
  /** Receivers that come and go before anybody else. */
  readonly visitors: number
  readonly sender: {
    readonly trouble: SenderTrouble
    readonly piece: number
    readonly comesAfter: number
    readonly readsLines: boolean
  }
  readonly receivers: readonly ReceiverPlan[]
}

const KIB = 1024
const MIB = 1024 * KIB
const NEXT_REQUEST = 'GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n'

/** What this seed does, over TLS as in plain. */
export function planOf(seed: number): Plan {
  const random = new Random(seed)
  const n = random.chance(35) ? 1 : random.between(2, random.chance(30) ? 8 : 4)
  const announced = random.chance(50)
  const stallMs = random.chance(15) ? 2000 : 0
  // More than the kernel takes for somebody who does not read: only then is he noticed.
  const bytes = stallMs > 0 && random.chance(70) ? random.between(MIB, 3 * MIB) : bodySize(random)
  const replyAtEnd = random.chance(15)
  const someoneIsAbsent = random.chance(5)
  const quiet = random.chance(15)
  const query = [`n=${n}`]
  if (stallMs > 0) query.push(`stall=${stallMs / 1000}`)
  if (replyAtEnd) query.push('reply=end')
  if (someoneIsAbsent) query.push('wait=1')
  const receivers = Array.from({ length: n }, (_, i) => {
    const absent = someoneIsAbsent && i === 0
    return receiverPlan(random, { bytes, stallMs, quiet, absent })
  })
  return {
    seed,
    name: `chaos-${seed}`,
    n,
    bytes,
    announced,
    query: query.join('&'),
    stallMs,
    replyAtEnd,
    visitors: random.chance(10) ? random.between(1, 2) : 0,
    sender: {
      trouble: quiet || someoneIsAbsent ? { kind: 'none' } : senderTrouble(random, bytes, announced),
      // Not so many that the sender itself takes long.
      piece: Math.max(random.pick([100, 4 * KIB, 16 * KIB + 1, 64 * KIB, 300 * KIB])! + random.below(50), bytes >> 11),
      comesAfter: random.below(40),
      readsLines: !random.chance(10),
    },
    receivers,
  }
}

function bodySize(random: Random): number {
  const kind = random.below(100)
  if (kind < 6) return 0
  if (kind < 20) return random.between(1, 300)
  if (kind < 55) return random.between(300, 200 * KIB)
  if (kind < 90) return random.between(200 * KIB, 2 * MIB)
  return random.between(2 * MIB, LONGEST)
}

function wayOf(random: Random): Way {
  return random.pick(WAYS)!
}

/** A moment of the stream: its ends and the last window as likely as the rest. */
function moment(random: Random, bytes: number): number {
  const kind = random.below(10)
  if (kind < 2) return 0
  if (kind < 3) return bytes
  if (kind < 4) return Math.max(0, bytes - 1)
  if (kind < 6) return Math.max(0, bytes - random.below(MIB))
  return random.between(0, bytes)
}

function senderTrouble(random: Random, bytes: number, announced: boolean): SenderTrouble {
  const at = moment(random, bytes)
  const kind = random.below(100)
  if (kind < 46) return { kind: 'none' }
  if (kind < 56) return { kind: 'leave', at, way: wayOf(random) }
  if (kind < 62) return { kind: 'leave later', ms: random.below(400), way: wayOf(random) }
  if (kind < 67) return { kind: 'leave when uploaded', way: wayOf(random) }
  if (kind < 71) return { kind: 'close behind' }
  if (kind < 80) return { kind: 'freeze', at, ms: random.between(50, 800) }
  if (kind < 88) return { kind: 'trickle', at: Math.min(at, bytes), pieces: random.between(5, 80) }
  if (announced || bytes === 0) return { kind: 'too much', extra: random.pick(['x', '\r\n\r\n', NEXT_REQUEST])! }
  // Behind the last byte it would be the last chunk that is odd, and the body would be all there.
  return { kind: 'malformed', at: Math.min(at, bytes - 1), how: random.pick(MALFORMED)! }
}

interface Setting {
  readonly bytes: number
  readonly stallMs: number
  readonly quiet: boolean
  readonly absent: boolean
}

function receiverPlan(random: Random, setting: Setting): ReceiverPlan {
  return {
    trouble: setting.quiet ? { kind: 'none' } : receiverTrouble(random, setting),
    readBytes: random.pick([500, 4 * KIB, 64 * KIB, 64 * KIB])!,
    comesAfter: random.below(40),
    absent: setting.absent,
    reuses: random.chance(25),
  }
}

function receiverTrouble(random: Random, { bytes, stallMs }: Setting): ReceiverTrouble {
  const at = moment(random, bytes)
  const way = wayOf(random)
  const kind = random.below(100)
  if (stallMs > 0 && kind < 25) return { kind: 'stuck', at: random.below(Math.max(1, bytes - MIB)) }
  if (kind < 50) return { kind: 'none' }
  if (kind < 62) return { kind: 'leave', at, way }
  if (kind < 67) return { kind: 'leave later', ms: random.below(400), way }
  if (kind < 77) return { kind: 'freeze', at, ms: random.between(50, 900) }
  if (kind < 84) return { kind: 'freeze and leave', at, ms: random.between(20, 600), way }
  if (kind < 90) return { kind: 'talk', at, what: random.pick(['x', NEXT_REQUEST, 'PRI * HTTP/2.0\r\n\r\n'])! }
  // A trickle is slow enough to look like a stall.
  if (stallMs > 0) return { kind: 'freeze', at, ms: 900 }
  return { kind: 'trickle', reads: random.between(10, 150), ms: random.between(1, 4) }
}
