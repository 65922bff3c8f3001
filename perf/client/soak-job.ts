/** The job `soak`: transfers of all kinds, some of which lose a sender or a receiver on the way. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from './dial.js'
import type { JobKind } from './job.js'
import { Receiver } from './receive.js'
import { Sender } from './send.js'

export interface SoakArgs {
  readonly target: Target
  readonly seconds: number
  /** How many transfers run at a time. */
  readonly parallel: number
  /** Repeats the same choices, though not the same timing. */
  readonly seed: number
}

export interface SoakCount {
  /** Transfers that were complete on every side, as they had to be. */
  complete: number
  /** Transfers that lost somebody. */
  cut: number
  bytes: number
}

/** Resolves with what was done. Rejects on the first wrong byte, or on a whole transfer that was not complete in time. */
export const soak: JobKind<SoakArgs, SoakCount> = async (args) => {
  const until = performance.now() + args.seconds * 1000
  const random = randomNumbers(args.seed)
  const count: SoakCount = { complete: 0, cut: 0, bytes: 0 }
  let names = 0
  const work = async (): Promise<void> => {
    while (performance.now() < until) await oneTransfer(args.target, `/soak-${names++}`, random, count)
  }
  await Promise.all(Array.from({ length: args.parallel }, work))
  return count
}

const COMPLETE_WITHIN_MS = 30_000
const GONE_WITHIN_MS = 1000
const KINDS_OF_DEATH = ['none', 'none', 'sender', 'receiver'] as const

async function oneTransfer(target: Target, name: string, random: () => number, count: SoakCount): Promise<void> {
  const n = [1, 1, 2, 5][Math.floor(random() * 4)]!
  const bytes = Math.floor(2 ** (random() * 23))
  const path = `${name}?n=${n}`
  const receive = () => new Receiver({ target, path, bytes, ...(random() < 0.1 && { bytesPerSecond: 8e6 }) })
  const receivers = Array.from({ length: n }, receive)
  const sender = new Sender({ target, path, bytes, framing: random() < 0.5 ? 'length' : 'chunked' })
  for (const receiver of receivers) void receiver.asked
  const outcomes = Promise.allSettled([sender.done, ...receivers.map((receiver) => receiver.done)])
  const death = KINDS_OF_DEATH[Math.floor(random() * KINDS_OF_DEATH.length)]!
  if (death === 'none') await mustComplete(outcomes)
  else await mustNotLie(outcomes, random, death === 'sender' ? sender : receivers[0]!)
  sender.kill()
  for (const receiver of receivers) receiver.stop()
  count[death === 'none' ? 'complete' : 'cut']++
  for (const receiver of receivers) count.bytes += receiver.received
}

type Outcomes = Promise<PromiseSettledResult<void>[]>

async function mustComplete(outcomes: Outcomes): Promise<void> {
  const settled = await Promise.race([outcomes, sleep(COMPLETE_WITHIN_MS, null, { ref: false })])
  if (settled === null) throw new Error(`a transfer was not complete within ${COMPLETE_WITHIN_MS} ms`)
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason
}

/** Lets somebody die in the middle. The others may fail, but what they got has to be right. */
async function mustNotLie(outcomes: Outcomes, random: () => number, victim: Sender | Receiver): Promise<void> {
  await sleep(random() * 20)
  if (victim instanceof Sender) victim.kill()
  else victim.stop()
  const settled = await Promise.race([outcomes, sleep(GONE_WITHIN_MS * random(), null, { ref: false })])
  for (const outcome of settled ?? []) {
    // Each receiver compares what it gets: that one is short is expected here, that one is wrong never is.
    if (outcome.status === 'rejected' && /wrong byte|were sent/.test(`${outcome.reason}`)) throw outcome.reason
  }
}

/** Mulberry32: small, and good enough to choose by. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
