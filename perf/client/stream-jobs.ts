/** The jobs that move streams: `send` and `receive`. */

import type { JobKind } from './job.js'
import { type ReceiveOptions, Receiver } from './receive.js'
import { Sender, type SendOptions } from './send.js'

/** Milliseconds since 1970, and a value then. */
export type Point = readonly [atMs: number, value: number]

export interface ReceiveArgs extends ReceiveOptions {
  /** Receivers of the same transfer. */
  readonly count: number
  /** The first one stops reading when it has so many bytes, for so long. */
  readonly pause?: { readonly atBytes: number; readonly ms: number }
}

export interface Received {
  /** Bytes delivered to all receivers together, every 100 ms. */
  readonly timeline: readonly Point[]
  /** What the slowest of the others got while the first one did not read, in bytes. */
  readonly othersMeanwhile: number | null
}

/** Sends one body. Resolves when the relay says that it is complete; a raw sender keeps its connection until it is stopped. */
export const send: JobKind<SendOptions, void> = async (options, job) => {
  const sender = new Sender(options)
  job.onStop(() => sender.close())
  await sender.done
}

/** Like `send`, for a transfer that is not meant to end: it runs until the lane stops it. */
export const sendUntilStopped: JobKind<SendOptions, void> = async (options, job) => {
  const sender = new Sender(options)
  const stopped = new Promise<void>((resolve) => job.onStop(resolve))
  await Promise.race([stopped, sender.done])
  sender.done.catch(() => {})
  sender.kill()
}

/** Receives one body, once or many times. Tells `true` when all receivers have asked for it. */
export const receive: JobKind<ReceiveArgs, Received> = async (args, job) => {
  const receivers = Array.from({ length: args.count }, () => new Receiver(args))
  const all = Promise.all(receivers.map((receiver) => receiver.done))
  const stopped = new Promise<'stopped'>((resolve) => job.onStop(() => resolve('stopped')))
  const clock = new Timeline(() => receivers.reduce((sum, receiver) => sum + receiver.received, 0))
  const meanwhile = args.pause === undefined ? null : pauseOne(receivers, args.pause)
  try {
    await Promise.race([all, Promise.all(receivers.map((receiver) => receiver.asked))])
    job.tell(true)
    await Promise.race([all, stopped])
    return { timeline: clock.stop(), othersMeanwhile: meanwhile === null ? null : await Promise.race([meanwhile, 0]) }
  } finally {
    all.catch(() => {})
    clock.stop()
    for (const receiver of receivers) receiver.stop()
  }
}

/** Samples a count every 100 ms. */
class Timeline {
  readonly #points: Point[] = []
  readonly #read: () => number
  readonly #tick: NodeJS.Timeout

  constructor(read: () => number) {
    this.#read = read
    this.#sample()
    this.#tick = setInterval(() => this.#sample(), 100)
  }

  stop(): readonly Point[] {
    clearInterval(this.#tick)
    this.#sample()
    return this.#points
  }

  #sample(): void {
    this.#points.push([Date.now(), this.#read()])
  }
}

async function pauseOne(receivers: readonly Receiver[], pause: { atBytes: number; ms: number }): Promise<number> {
  const [first, ...others] = receivers
  while (first!.received < pause.atBytes) await sleep(5)
  first!.pause()
  const before = others.map((receiver) => receiver.received)
  await sleep(pause.ms)
  const gained = others.map((receiver, i) => receiver.received - before[i]!)
  first!.resume()
  return Math.min(...gained)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
