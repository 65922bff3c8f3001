/** Loads a crew with messages, and knows which of them have arrived. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Crew, CrewOptions, OpenCrew, TakeMessage } from './crew.js'

export type LoadOptions = Omit<CrewOptions, 'taker' | 'failed'>

/** What came of sending as many as can be. */
export interface Flooded {
  readonly messages: number
  readonly seconds: number
  /** The mean wait of whom it is longest for, as a multiple of the mean of all: 1 when all fare alike. */
  readonly longestWait: { readonly senders: number; readonly receivers: number }
}

/** A message begins with its number. */
const DIGITS = 10
const ZERO = 48
const PROBE_BYTES = 64
const PROBE_EVERY_MS = 200
const PROBES_WITHIN_MS = 30_000
/** After the last one has been sent, all have to be there within this time. */
const ARRIVES_WITHIN_MS = 10_000

interface OnItsWay {
  readonly sender: number
  /** When it was sent, by `performance.now()`. */
  readonly at: number
  /** Who has yet to get it. */
  left: number
  done(): void
  readonly isProbe: boolean
}

export class Load {
  readonly #options: LoadOptions
  #crew!: Crew
  #number = 0
  #template: Buffer = Buffer.alloc(0)
  readonly #onTheirWay = new Map<number, OnItsWay>()
  /** Microseconds from sending to each arrival; null while they are of no interest. */
  #times: number[] | null = null
  /** How many messages of each sender have arrived at their last receiver, and how many each receiver has got. */
  #sent: number[] = []
  #got: number[] = []
  #failure: unknown = null
  #fail!: (error: unknown) => void
  readonly #failed: Promise<never>

  private constructor(options: LoadOptions) {
    this.#options = options
    this.#failed = new Promise((_, reject) => {
      this.#fail = (error) => {
        this.#failure ??= error
        reject(error)
      }
    })
    this.#failed.catch(() => {})
  }

  /** Connects everybody, and waits until a message of each sender has gone all its way. */
  static async open(open: OpenCrew, options: LoadOptions): Promise<Load> {
    const load = new Load(options)
    const failed = load.#fail
    load.#crew = await Promise.race([open({ ...options, taker: load.#taker, failed }), load.#failed])
    const senders = Array.from({ length: options.senders }, (_, i) => load.#probe(i))
    await Promise.race([Promise.all(senders), load.#failed])
    return load
  }

  /**
   * As many as can be: each sender has `window` messages on their way all the time.
   * @param seconds after which nobody sends any more. Resolves when the last one has arrived
   */
  async flood(bytes: number, window: number, seconds: number): Promise<Flooded> {
    const { senders, receivers } = this.#options
    this.#template = template(bytes)
    this.#sent = new Array(senders).fill(0)
    this.#got = new Array(receivers).fill(0)
    const from = performance.now()
    const until = from + seconds * 1000
    let sent = 0
    let left = 0
    await this.#allThere((over) => {
      const next = (sender: number) => {
        sent++
        left++
        this.#send(sender, () => {
          left--
          this.#sent[sender]!++
          if (performance.now() < until) next(sender)
          else if (left === 0) over()
        })
      }
      for (let i = 0; i < senders * window; i++) next(i % senders)
    }, seconds)
    return {
      messages: sent,
      seconds: (performance.now() - from) / 1000,
      longestWait: { senders: longestWait(this.#sent), receivers: longestWait(this.#got) },
    }
  }

  /** A message at a time, at an even rate, by the senders in turn. Resolves with the microseconds to each arrival. */
  async pace(bytes: number, perSecond: number, seconds: number): Promise<number[]> {
    this.#template = template(bytes)
    const times: number[] = []
    this.#times = times
    const from = performance.now()
    let due = 0
    let left = perSecond * seconds
    await this.#allThere((over) => {
      const tick = setInterval(() => {
        const now = Math.min(perSecond * seconds, Math.floor(((performance.now() - from) / 1000) * perSecond))
        for (; due < now; due++) {
          this.#send(due % this.#options.senders, () => {
            if (--left === 0) over()
          })
        }
        if (due === perSecond * seconds) clearInterval(tick)
      }, 1)
    }, seconds)
    this.#times = null
    return times
  }

  /** Throws what has failed, if nobody has been told yet. */
  close(): void {
    this.#crew.close()
    if (this.#failure !== null) throw this.#failure
  }

  /** Runs until `over` is called; rejects when something fails, or when it takes too long. */
  async #allThere(run: (over: () => void) => void, seconds: number): Promise<void> {
    const limit = new AbortController()
    const late = sleep(seconds * 1000 + ARRIVES_WITHIN_MS, null, limit).then(() => {
      const missing = [...this.#onTheirWay.values()].filter(({ isProbe }) => !isProbe).length
      throw new Error(`${missing} messages did not arrive`)
    })
    late.catch(() => {})
    await Promise.race([new Promise<void>(run), this.#failed, late])
    limit.abort()
  }

  #send(sender: number, done: () => void, isProbe = false): void {
    const number = this.#number++
    const message = Buffer.from(this.#template)
    message.write(`${number}`.padStart(DIGITS, '0'), 'latin1')
    const left = this.#options.kind === 'topic' ? this.#options.receivers : 1
    this.#onTheirWay.set(number, { sender, at: performance.now(), left, done, isProbe })
    this.#crew.send(sender, message)
  }

  /** Subscribers may be there a little later than they were told, and what is sent before that does not reach them. */
  async #probe(sender: number): Promise<void> {
    this.#template = template(PROBE_BYTES)
    let there = false
    const until = performance.now() + PROBES_WITHIN_MS
    while (!there) {
      if (performance.now() > until) throw new Error(`nothing that sender ${sender} sends arrives`)
      const arrived = new Promise<void>((resolve) => {
        const done = () => {
          there = true
          resolve()
        }
        this.#send(sender, done, true)
      })
      await Promise.race([arrived, sleep(PROBE_EVERY_MS)])
    }
  }

  #taker = (index: number): TakeMessage => {
    /** The last one of each sender. */
    const last = new Int32Array(this.#options.senders).fill(-1)
    return (bytes, from, to) => {
      try {
        this.#take(index, last, bytes, from, to)
      } catch (error) {
        this.#fail(error)
      }
    }
  }

  #take(index: number, last: Int32Array, bytes: Buffer, from: number, to: number): void {
    const number = readNumber(bytes, from, to)
    const message = this.#onTheirWay.get(number)
    if (message === undefined) throw new Error(`message ${number} came once more, or was never sent`)
    // A probe may come when the load has begun, and behind others.
    if (!message.isProbe) {
      this.#checkPlace(index, last, number, message.sender)
      this.#compare(bytes, from, to)
      this.#times?.push((performance.now() - message.at) * 1000)
      this.#got[index]!++
    }
    if (--message.left > 0) return
    this.#onTheirWay.delete(number)
    message.done()
  }

  /** An answer goes to who has asked, and every subscriber gets a sender's messages once and in their order. */
  #checkPlace(index: number, last: Int32Array, number: number, sender: number): void {
    const { kind } = this.#options
    if (kind === 'ask' && index !== sender) throw new Error(`asker ${index} got the answer to asker ${sender}`)
    if (kind === 'topic' && number <= last[sender]!)
      throw new Error(`subscriber ${index} got ${number} too late or twice`)
    last[sender] = number
  }

  #compare(bytes: Buffer, from: number, to: number): void {
    const { length } = this.#template
    if (to - from !== length) throw new Error(`a message of ${to - from} bytes came, and ${length} were sent`)
    if (this.#template.compare(bytes, from + DIGITS, to, DIGITS, length) !== 0) throw new Error('a wrong byte came')
  }
}

/** Each waited all the time for as many messages as the others, so that its mean wait is one in how many it had. */
function longestWait(counts: readonly number[]): number {
  const waits = counts.map((count) => 1 / count)
  return Math.max(...waits) / (waits.reduce((sum, wait) => sum + wait, 0) / waits.length)
}

/** Letters, so that it is text for those who care. */
function template(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, i) => 97 + ((i * 7) % 26)))
}

function readNumber(bytes: Buffer, from: number, to: number): number {
  let number = 0
  for (let i = from; i < from + DIGITS; i++) {
    const digit = (bytes[i] ?? 0) - ZERO
    if (digit < 0 || digit > 9)
      throw new Error(`not a message: ${JSON.stringify(bytes.toString('latin1', from, Math.min(to, from + 200)))}`)
    number = number * 10 + digit
  }
  return number
}
