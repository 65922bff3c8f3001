import type { SideLimits } from '../limits.js'
import type { Throttle } from '../throttle.js'

/** The limits of one transfer: the strictest of what its sides were given. */
export class TransferLimits {
  maxBytes = Number.POSITIVE_INFINITY
  totalMs = Number.POSITIVE_INFINITY
  readonly throttles: Throttle[] = []

  /** As before any side was added. */
  clear(): void {
    this.maxBytes = Number.POSITIVE_INFINITY
    this.totalMs = Number.POSITIVE_INFINITY
    this.throttles.length = 0
  }

  /** Adds the limits of one side. */
  restrict(limits: SideLimits | undefined): void {
    if (limits === undefined) return
    this.maxBytes = Math.min(this.maxBytes, limits.maxBytes ?? this.maxBytes)
    this.totalMs = Math.min(this.totalMs, limits.totalMs ?? this.totalMs)
    for (const each of limits.throttles ?? []) if (!this.throttles.includes(each)) this.throttles.push(each)
  }
}
