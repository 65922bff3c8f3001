/** What becomes of a viewer that falls behind: parts are left out, it is cut, or the sender waits for it. */
export type SlowPolicy = 'skip' | 'cut' | 'hold'

/** What the sender of a live stream asks for. */
export interface LiveSenderOptions {
  /** Absent: `skip` for WebM, `cut` for everything else. */
  readonly slow?: SlowPolicy | undefined
  /** A viewer that may be cut is when it is more than so many bytes behind. */
  readonly lagBytes: number
}

/** What a viewer asks for. */
export interface LiveReceiverOptions {
  /** It begins at the next byte, not at the next keyframe. */
  readonly atNextByte?: boolean | undefined
  /** It would rather be cut than miss a part. */
  readonly slow?: 'cut' | undefined
}

/** The limits of live streams. Sizes in bytes, times in milliseconds. */
export interface LiveLimits {
  /** Viewers of one stream. */
  readonly maxViewers: number
  /** Names that are live. */
  readonly maxStreams: number
  /** Viewers of all streams together. */
  readonly maxAllViewers: number
  /** The most that one stream may hold for its viewers. */
  readonly budgetBytes: number
  /** Who is further behind than this leaves out whole parts, until within `skipToBytes`. */
  readonly skipFromBytes: number
  readonly skipToBytes: number
  /** A viewer that may be cut is when it takes nothing for so long. */
  readonly stallMs: number
  /** After a clean end viewers have so long to take the rest. */
  readonly restMs: number
}

export const LIVE_LIMITS: LiveLimits = {
  maxViewers: 256,
  maxStreams: 100,
  maxAllViewers: 4096,
  budgetBytes: 64 * 1024 * 1024,
  skipFromBytes: 2 * 1024 * 1024,
  skipToBytes: 512 * 1024,
  stallMs: 60_000,
  restMs: 60_000,
}
