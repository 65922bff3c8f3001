import type { Clock, Deadline } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import type { Limits } from '../limits.js'
import type { Cursor } from './cursor.js'
import type { FanOut } from './fan-out.js'

/** How often a watchdog looks at its transfer. */
const CHECK_MS = 1000

/** The transfer that is watched. */
export interface WatchedTransfer {
  /** False once it has ended, which a call below may cause. */
  readonly isStreaming: boolean
  /** Cuts the receiver that reads at this cursor. */
  cutStalled(cursor: Cursor): void
  end(reason: EndReason): void
}

/** What is watched of its fan-out. */
export type WatchedFanOut = Pick<FanOut, 'stalled' | 'awaitsReceivers' | 'progress' | 'delivered'>

/**
 * Ends a transfer that does not keep its limits: idle, too slow, too long; and cuts receivers that stall. It looks once a
 * second, never on the path of the bytes.
 */
export class Watchdog {
  /** The reading of `progress` when it last changed, and when that was. */
  #progress = 0
  #movedAt = 0
  /** What the slowest receiver had when the period of the rate limit began, and when that was. */
  #delivered = 0
  #periodAt = 0
  /** Since when the source has been held because nobody is there. */
  #aloneAt = 0
  #nextCheck: Deadline | undefined
  #total: Deadline | undefined
  /** What it watched may go on without it. */
  #stopped = false

  /**
   * @param stallMs 0: receivers are never cut
   * @param waitMs how long a source may be held because nobody is there
   */
  constructor(
    readonly transfer: WatchedTransfer,
    readonly fanOut: WatchedFanOut,
    readonly clock: Clock,
    readonly limits: Pick<Limits, 'idleMs' | 'minRate' | 'ratePeriodMs'>,
    readonly stallMs: number,
    readonly waitMs = Number.POSITIVE_INFINITY,
  ) {}

  /** @param totalMs how long the transfer may take at most */
  start(now: number, totalMs: number): void {
    this.#movedAt = now
    this.#periodAt = now
    this.#aloneAt = now
    this.#scheduleCheck()
    if (totalMs < Number.POSITIVE_INFINITY) {
      this.#total = this.clock.after(totalMs, () => this.transfer.end('too_long'))
    }
  }

  stop(): void {
    this.#stopped = true
    this.#nextCheck?.cancel()
    this.#total?.cancel()
  }

  #scheduleCheck(): void {
    this.#nextCheck = this.clock.after(CHECK_MS, () => {
      this.#check(this.clock.now())
      if (this.#watches) this.#scheduleCheck()
    })
  }

  /** Read it after calls that may have ended the stream, or this watch over it. */
  get #watches(): boolean {
    return this.transfer.isStreaming && !this.#stopped
  }

  #check(now: number): void {
    if (this.stallMs > 0) this.#cutStalled(now)
    if (this.#stopped) return
    if (this.#isAlone(now)) this.transfer.end('no_receivers')
    else if (this.#isIdle(now)) this.transfer.end('idle')
    else if (this.#isSlow(now)) this.transfer.end('too_slow')
  }

  #cutStalled(now: number): void {
    for (;;) {
      const cursor = this.#watches ? this.fanOut.stalled(now, this.stallMs) : undefined
      if (cursor === undefined) return
      this.transfer.cutStalled(cursor)
    }
  }

  #isAlone(now: number): boolean {
    if (!this.fanOut.awaitsReceivers) this.#aloneAt = now
    return now - this.#aloneAt >= this.waitMs
  }

  #isIdle(now: number): boolean {
    const { progress, awaitsReceivers } = this.fanOut
    if (progress !== this.#progress || awaitsReceivers) {
      this.#progress = progress
      this.#movedAt = now
    }
    const { idleMs } = this.limits
    return idleMs > 0 && now - this.#movedAt >= idleMs
  }

  #isSlow(now: number): boolean {
    const { minRate, ratePeriodMs } = this.limits
    const ms = now - this.#periodAt
    if (minRate === 0 || ms < ratePeriodMs) return false
    const delivered = this.fanOut.delivered - this.#delivered
    this.#delivered += delivered
    this.#periodAt = now
    return delivered < (minRate * ms) / 1000
  }
}
