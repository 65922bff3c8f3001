import type { FanOut } from './fan-out.js'
import type { Limits } from './limits.js'

/** Whether a transfer keeps the limits on its pace. Looked at now and then, never on the path of the bytes. */
export class Pace {
  /** The reading of `moves` when it last changed, and when that was. */
  #moves = 0
  #movedAt: number
  /** What the slowest receiver had taken when the period began, and when that was. */
  #taken = 0
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
    if (fanOut.moves !== this.#moves) {
      this.#moves = fanOut.moves
      this.#movedAt = now
    }
    const { idleMs } = this.limits
    return idleMs > 0 && now - this.#movedAt >= idleMs
  }

  #isSlow(fanOut: FanOut, now: number): boolean {
    const { minRate, ratePeriodMs } = this.limits
    const ms = now - this.#periodAt
    if (minRate === 0 || ms < ratePeriodMs) return false
    const taken = fanOut.slowest - this.#taken
    this.#taken += taken
    this.#periodAt = now
    return taken < (minRate * ms) / 1000
  }
}
