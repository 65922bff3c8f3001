import { History } from './history.js'
import { Lumps } from './lumps.js'

/** How far back the speed looks. */
const SPEED_MS = 3000
/** Samples come every 250 ms at most: more of them than fit into that, and one before it. */
const SAMPLES = 16
/** Samples are this far apart at least. */
const APART_MS = 200
/** What takes less has no speed. */
const FIRST_MS = 1000
/** So long a receiver's machine fills its buffers, as fast as the network is, however slowly somebody reads from them. */
const FILL_MS = 500
/** The time constant of what the rest is estimated by: a part of the time so far, within these. */
const RATE_MIN_MS = 2000
const RATE_MAX_MS = 20_000

/**
 * Speed and remaining time of one transfer, from samples of how many bytes have arrived. Times are readings of one clock in
 * milliseconds, speeds bytes per second. It has no timer: the caller says what time it is.
 *
 * What a machine takes into its buffers is no speed: a receiver that reads 1 MB/s gets 11 MB in the first third of a second. So
 * what arrives in the first moment of a transfer that is held back by its receiver does not count, and what arrives in lumps, with
 * pauses in which the receiver reads what it has, has the speed from the end of one lump to the end of the next.
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
  /** From when the speed counts, and what had arrived before: the contents of buffers. */
  #origin: number
  #filled = 0
  #isFilling = true
  readonly #lumps = new Lumps()

  constructor(readonly startedAt: number) {
    this.#times[0] = startedAt
    this.#origin = startedAt
    this.history = new History(startedAt)
  }

  /**
   * Call it four times a second while the transfer is watched, once a second otherwise.
   * @param inFlight bytes are on their way to the receiver, so that it is the one who is waited for
   */
  sample(now: number, bytes: number, inFlight = false): void {
    const at = this.#newest
    const elapsed = now - this.#times[at]!
    if (elapsed < APART_MS) return
    const moved = bytes - this.#bytes[at]!
    this.#lumps.see(now, bytes, moved > 0, inFlight)
    if (this.#isFilling && now - this.startedAt >= FILL_MS) this.#fill(now, bytes, inFlight)
    // While nothing at all moves the estimate rests: the break says nothing about the speed after it.
    else if (!this.#isFilling && (moved > 0 || this.#recent(now, bytes) !== 0)) {
      this.#smooth((moved / elapsed) * 1000, elapsed, now)
    }
    this.#keep(now, bytes)
    const known = this.#lumps.isLumpy ? this.#lumps.last : { time: now, bytes }
    if (known !== undefined && !this.#isFilling) this.history.add(known.time, Math.max(0, known.bytes - this.#filled))
  }

  /** Over the last seconds, 0 when nothing moved in them; null while it is too early to say. */
  speed(now: number, bytes: number): number | null {
    if (now - this.#origin < FIRST_MS) return null
    return this.#lumps.isLumpy ? this.#lumps.speed(now) : this.#recent(now, bytes)
  }

  /** Whole seconds until `total`; null when that cannot be known. */
  eta(now: number, bytes: number, total: number | null): number | null {
    const speed = this.speed(now, bytes)
    const rate = this.#lumps.isLumpy ? speed : this.#rate
    if (total === null || speed === null || speed === 0 || rate == null) return null
    return Math.ceil(Math.max(0, total - bytes) / rate)
  }

  #recent(now: number, bytes: number): number | null {
    const { time, from } = this.#before(now - SPEED_MS)
    return now - time < APART_MS ? null : Math.round(((bytes - from) / (now - time)) * 1000)
  }

  /** The first moment is over. */
  #fill(now: number, bytes: number, inFlight: boolean): void {
    this.#isFilling = false
    // A short moment, and it was read as fast as it came: that was the speed.
    if (!inFlight || now - this.startedAt > 4 * FILL_MS) return
    this.#origin = now
    this.#filled = bytes
    this.#count = 0
  }

  #keep(now: number, bytes: number): void {
    this.#newest = (this.#newest + 1) % SAMPLES
    this.#times[this.#newest] = now
    this.#bytes[this.#newest] = bytes
    this.#count = Math.min(this.#count + 1, SAMPLES)
  }

  #smooth(rate: number, elapsed: number, now: number): void {
    const constant = Math.min(RATE_MAX_MS, Math.max(RATE_MIN_MS, (now - this.startedAt) / 3))
    // Before that much time has gone by, the plain mean: one burst at the start would otherwise stay the estimate for long.
    const weight = Math.max(1 - Math.exp(-elapsed / constant), elapsed / (now - this.#origin))
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
