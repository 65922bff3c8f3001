import type { LiveLimits } from './live-options.js'
import type { Throttle } from './throttle.js'
import type { TopicLimits } from './topic-options.js'

/** Other tables, in other threads. */
export interface OtherTables {
  /** What waits and what streams in all of them. */
  readonly waiting: number
  readonly streaming: number
  /** What waits and streams here, for them to know: whenever it has changed. */
  tell(waiting: number, streaming: number): void
}

/** The limits that the core enforces for every transfer. Times in milliseconds, sizes in bytes. */
export interface Limits {
  /** Pipes that may wait at once. */
  readonly maxWaiting: number
  /** Transfers that may stream at once. */
  readonly maxActive: number
  /** Other tables that these two limits hold for as well. Absent: there is none. */
  readonly elsewhere?: OtherTables
  /** A source is paused while the slowest receiver is this many bytes behind what was read. */
  readonly windowBytes: number
  /** The most that one transfer may hold when its source cannot be paused in time. At least `windowBytes`. */
  readonly holdBytes: number
  /** A transfer in which no byte moves for this long ends. 0: never. */
  readonly idleMs: number
  /** The slowest receiver of a transfer must take this many bytes a second on average, or the transfer ends. 0: no limit. */
  readonly minRate: number
  /** The time over which that average is taken. */
  readonly ratePeriodMs: number
  /** How often a waiting sender is told who is missing. */
  readonly reminderMs: number
  readonly live: LiveLimits
  /** Senders that may wait on one queue, and as many receivers. */
  readonly maxQueued: number
  readonly topic: TopicLimits
}

/** What one side adds to the limits of its transfer, where the strictest side wins. */
export interface SideLimits {
  /** The most bytes that the stream may have. */
  readonly maxBytes?: number
  /** How long it may stream, in milliseconds. */
  readonly totalMs?: number
  /** Speeds that it shares with other transfers. */
  readonly throttles?: readonly Throttle[]
}
