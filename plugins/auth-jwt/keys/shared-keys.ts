import type { JSONWebKeySet } from 'jose'

/** What is known of the issuer. Times are milliseconds of a clock that all threads share. */
export interface Known {
  /** Undefined while it has never answered. */
  readonly keys: JSONWebKeySet | undefined
  readonly fetchedAt: number
  readonly triedAt: number
  readonly failed: boolean
}

/** The most octets that a set of keys takes. */
const MOST = 1024 * 1024
/** Words of 32 bits, in this order; behind them two times, and the keys. */
const [BUSY, VERSION, LENGTH, FAILED] = [0, 1, 2, 3] as const
const TIMES = 16
const KEYS = 32

/**
 * What all threads of a process know of the issuer, in memory that they share: one of them asks it, and the others learn what came of
 * that. Only who has `begun` writes, and who reads looks at the version before and afterwards.
 */
export class SharedKeys {
  static readonly bytes = KEYS + MOST

  readonly #words: Int32Array
  readonly #times: Float64Array
  readonly #octets: Uint8Array
  readonly #own: number
  #seen = 0

  /** @param thread the number of this one, from 0 on. One of that number that was there before, and is over, asks nobody any more. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#words = new Int32Array(memory, 0, 4)
    this.#times = new Float64Array(memory, TIMES, 2)
    this.#octets = new Uint8Array(memory, KEYS)
    this.#own = thread + 1
    this.give()
  }

  /** Some other thread asks the issuer. */
  get isBusy(): boolean {
    const who = Atomics.load(this.#words, BUSY)
    return who !== 0 && who !== this.#own
  }

  /** Whether this thread is to ask the issuer, and nobody else until it has told or given up. */
  begin(): boolean {
    return Atomics.compareExchange(this.#words, BUSY, 0, this.#own) === 0
  }

  /** This thread does not ask the issuer any more. */
  give(): void {
    Atomics.compareExchange(this.#words, BUSY, this.#own, 0)
  }

  /** What has come of it. @throws Error when the keys are too long */
  tell({ keys, fetchedAt, triedAt, failed }: Known): void {
    const octets = keys === undefined ? undefined : Buffer.from(JSON.stringify(keys))
    if (octets !== undefined && octets.length > MOST) throw new Error(`the issuer's keys have more than ${MOST} bytes`)
    // Odd while it is written. One that was over in the middle of it has left it odd.
    const writing = Atomics.load(this.#words, VERSION) | 1
    Atomics.store(this.#words, VERSION, writing)
    this.#times.set([fetchedAt, triedAt])
    this.#words[FAILED] = failed ? 1 : 0
    if (octets !== undefined) {
      this.#words[LENGTH] = octets.length
      this.#octets.set(octets)
    }
    Atomics.store(this.#words, VERSION, writing + 1)
  }

  /** What has been told since the last call; undefined: nothing. */
  news(): Known | undefined {
    const version = Atomics.load(this.#words, VERSION)
    if (version === this.#seen || version % 2 === 1) return undefined
    const length = this.#words[LENGTH]!
    const text = length === 0 ? undefined : Buffer.from(this.#octets.slice(0, length)).toString()
    const [fetchedAt, triedAt] = [this.#times[0]!, this.#times[1]!]
    const failed = this.#words[FAILED] === 1
    // Somebody has written meanwhile: at the next call.
    if (Atomics.load(this.#words, VERSION) !== version) return undefined
    this.#seen = version
    return { keys: text === undefined ? undefined : (JSON.parse(text) as JSONWebKeySet), fetchedAt, triedAt, failed }
  }
}
