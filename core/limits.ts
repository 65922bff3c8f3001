import type { Digest } from './ports.js'
import type { Throttle } from './throttle.js'

/** The numbers that the core enforces for everybody. Times in milliseconds, sizes in bytes. */
export interface Limits {
  /** Pipes that may wait at once. */
  readonly maxWaiting: number
  /** Transfers that may stream at once. */
  readonly maxActive: number
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
}

/** What holds for one transfer besides the limits for everybody: the strictest of what its sides were given. */
export interface SideLimits {
  /** The most bytes that the stream may have. */
  readonly maxBytes?: number
  /** How long it may stream, in milliseconds. */
  readonly totalMs?: number
  /** Speeds that it shares with others. */
  readonly throttles?: readonly Throttle[]
}

/** What one side asks for itself when it joins. */
export interface JoinOptions {
  /** Receivers the pipe waits for; every side must say the same. */
  readonly receivers: number
  /** How long this side waits for the others, in milliseconds. */
  readonly waitMs: number
  readonly limits?: SideLimits | undefined
  /** This side wants the stream's digest, and this begins one. */
  readonly newDigest?: (() => Digest) | undefined
}

export interface SenderJoinOptions extends JoinOptions {
  /** A receiver that takes nothing for this long while bytes wait for it is cut, in milliseconds. 0: never. */
  readonly stallMs: number
  /** Names this transfer to people and programs. Unique, chosen by the caller. */
  readonly transferId: string
  /** The total that the sender hinted at, in bytes; only shown, never enforced. */
  readonly expectedBytes: number | undefined
}
