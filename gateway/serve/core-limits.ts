import { LIVE_LIMITS, type OtherTables, type PipeTable, TOPIC_LIMITS } from '../../core/index.js'
import type { Config } from '../config/config.js'

/** How often a waiting sender is reminded of who is missing. */
const REMINDER_MS = 10_000

/** What the configuration means for the core. */
/** @param elsewhere what waits and streams in other threads of this process */
export function coreLimits(config: Config, elsewhere?: OtherTables): PipeTable['limits'] {
  return {
    ...(elsewhere && { elsewhere }),
    maxWaiting: config.maxWaiting,
    maxActive: config.maxActive,
    windowBytes: config.window,
    // One transfer must not take all of the shared memory, but it needs more than its window: a fast sender on the same host
    // goes on delivering for a while after it has been paused.
    holdBytes: Math.max(config.window, config.memory / 2),
    idleMs: config.idle * 1000,
    minRate: config.minRate,
    ratePeriodMs: config.minRatePeriod * 1000,
    reminderMs: REMINDER_MS,
    maxQueued: config.maxQueued,
    live: {
      ...LIVE_LIMITS,
      maxViewers: config.maxViewers,
      maxAllViewers: Math.max(LIVE_LIMITS.maxAllViewers, config.maxViewers),
    },
    topic: {
      ...TOPIC_LIMITS,
      maxSubscribers: config.maxSubscribers,
      slow: config.slowSubscribers,
      stallMs: config.stallMax * 1000,
    },
  }
}
