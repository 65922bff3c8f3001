import type { FanOutListener } from '../flow/fan-out-listener.js'
import type { Limits } from '../limits.js'
import type { LiveLimits, LiveSenderOptions } from '../live-options.js'
import type { LiveCursor } from './live-cursor.js'

export interface LiveFanOutListener extends FanOutListener {
  /** This viewer is further behind than it may be: cut it. It has to `leave`. */
  cutBehind(cursor: LiveCursor): void
}

export interface LiveFanOutOptions extends LiveSenderOptions {
  readonly limits: Pick<Limits, 'windowBytes' | 'holdBytes'>
  readonly live: Pick<LiveLimits, 'budgetBytes' | 'skipFromBytes' | 'skipToBytes'>
  /** Bytes that the pool has set aside for what comes before the start. */
  readonly reserved: number
}
