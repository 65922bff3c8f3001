import type { FanOut } from './fan-out.js'
import type { Limits } from './limits.js'

/** Whether a transfer keeps the limits on its pace. Looked at now and then, never on the path of the bytes. */
export class Watchdog {
  /** The reading of `progress` when it last changed, and when that was. */
  #progress = 0
  #movedAt: number
  /** What the slowest receiver had when the period began, and when that was. */
  #delivered = 0
  #periodAt: number

  constructor(
    readonly limits: Pick<Limits, 'idleMs' | 'minRate' | 'ratePeriodMs'>,
    now: number,
  ) {
    this.#movedAt = now
    this.#periodAt = now
  }

  /** Why the transfer has to end; undefined while it keeps its limits. */
  fault(fanOut: FanOut, now: number): 'idle' | 'too_slow' | undefined {
    if (this.#isIdle(fanOut, now)) return 'idle'
    return this.#isSlow(fanOut, now) ? 'too_slow' : undefined
  }

  #isIdle(fanOut: FanOut, now: number): boolean {
    const { progress } = fanOut
    if (progress !== this.#progress) {
      this.#progress = progress
      this.#movedAt = now
    }
    const { idleMs } = this.limits
    return idleMs > 0 && now - this.#movedAt >= idleMs
  }

  #isSlow(fanOut: FanOut, now: number): boolean {
    const { minRate, ratePeriodMs } = this.limits
    const ms = now - this.#periodAt
    if (minRate === 0 || ms < ratePeriodMs) return false
    const delivered = fanOut.delivered - this.#delivered
    this.#delivered += delivered
    this.#periodAt = now
    return delivered < (minRate * ms) / 1000
  }
}
