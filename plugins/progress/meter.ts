import { History } from './history.js'

/** How far back the speed looks. */
const SPEED_MS = 3000
/** Samples come every 250 ms at most: more of them than fit into that, and one before it. */
const SAMPLES = 16
/** Nothing that is younger than this has a speed. */
const FIRST_MS = 200
/** The time constant of what the rest is estimated by: a part of the time so far, within these. */
const RATE_MIN_MS = 2000
const RATE_MAX_MS = 20_000

/**
 * Speed and remaining time of one transfer, from samples of how many bytes have arrived. Times are readings of one clock in
 * milliseconds, speeds bytes per second. It has no timer: the caller says what time it is.
 */
export class Meter {
  readonly history: History
  readonly #times = new Float64Array(SAMPLES)
  readonly #bytes = new Float64Array(SAMPLES)
  /** Index of the newest sample. */
  #newest = 0
  #count = 1
  /** Bytes per second, smoothed. */
  #rate: number | undefined

  constructor(readonly startedAt: number) {
    this.#times[0] = startedAt
    this.history = new History(startedAt)
  }

  /** Call it four times a second while the transfer is watched, once a second otherwise. */
  sample(now: number, bytes: number): void {
    const at = this.#newest
    const elapsed = now - this.#times[at]!
    if (elapsed < FIRST_MS) return
    // While nothing at all moves the estimate rests: the break says nothing about the speed after it.
    if (bytes > this.#bytes[at]! || this.speed(now, bytes) !== 0) {
      this.#smooth(((bytes - this.#bytes[at]!) / elapsed) * 1000, elapsed, now)
    }
    this.#newest = (at + 1) % SAMPLES
    this.#times[this.#newest] = now
    this.#bytes[this.#newest] = bytes
    this.#count = Math.min(this.#count + 1, SAMPLES)
    this.history.add(now, bytes)
  }

  /** Over the last three seconds, 0 when nothing moved in them; null while it is too early to say. */
  speed(now: number, bytes: number): number | null {
    const { time, from } = this.#before(now - SPEED_MS)
    return now - time < FIRST_MS ? null : Math.round(((bytes - from) / (now - time)) * 1000)
  }

  /** Whole seconds until `total`; null when that cannot be known. */
  eta(now: number, bytes: number, total: number | null): number | null {
    if (total === null || this.#rate === undefined || this.speed(now, bytes) === 0) return null
    return Math.ceil(Math.max(0, total - bytes) / this.#rate)
  }

  #smooth(rate: number, elapsed: number, now: number): void {
    const constant = Math.min(RATE_MAX_MS, Math.max(RATE_MIN_MS, (now - this.startedAt) / 3))
    const weight = 1 - Math.exp(-elapsed / constant)
    const smoothed = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) * weight
    this.#rate = smoothed > 0 ? smoothed : undefined
  }

  /** The newest sample that is not younger than this, or the oldest there is. */
  #before(time: number): { readonly time: number; readonly from: number } {
    let at = this.#newest
    for (let i = 1; i < this.#count && this.#times[at]! > time; i++) at = (at + SAMPLES - 1) % SAMPLES
    return { time: this.#times[at]!, from: this.#bytes[at]! }
  }
}
