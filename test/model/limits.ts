import type { Limits } from '../../core/index.js'

/** The limits of the model: small, so that random steps reach all of them. */
export const LIMITS: Limits = {
  maxWaiting: 3,
  maxActive: 2,
  windowBytes: 256,
  holdBytes: 512,
  idleMs: 4000,
  minRate: 30,
  ratePeriodMs: 5000,
  reminderMs: 3000,
  maxQueued: 2,
  live: {
    maxViewers: 4,
    maxStreams: 2,
    maxAllViewers: 6,
    budgetBytes: 100_000,
    skipFromBytes: 200,
    skipToBytes: 100,
    stallMs: 3000,
    restMs: 2000,
  },
  topic: { maxSubscribers: 4, slow: 'hold', stallMs: 0, silenceMs: 15_000 },
}
export const SLAB_BYTES = 64
/** The names that sides join. */
export const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
/** What a turn may do for streams with more receivers than one: bytes, that number, and what an offer costs besides. */
export const TURN = [160, 1, 10] as const

/** On names for questions. */
export const ASK_LIMITS: Limits = {
  ...LIMITS,
  maxQueued: 4,
  maxWaiting: 9,
  maxActive: 7,
  idleMs: 0,
  minRate: 0,
  holdBytes: 4096,
}
/** The same name in two projects, for questions. */
export const ASK_KEYS = ['one/ask', 'two/ask']
/** Names of topics, and one on which a pipe stands. */
export const TOPIC_KEYS = ['a', 'b', 'c', 'd']
export const PIPE_KEY = 'pipe'
