import { z } from '../../gateway/host/plugin-api.js'

/** Beyond a day a window is a quota, and a restart would forget it. */
const LONGEST_S = 86_400

const positive = z.int().min(1)

const window = z.strictObject({ points: positive, seconds: z.int().min(1).max(LONGEST_S) })

const scope = z.strictObject({
  /** Requests in a window of time. */
  requests: window.optional(),
  /** Sides, senders and receivers, that join a pipe in a window of time. */
  transfers: window.optional(),
  /** Sides that wait or stream at once. */
  pipes: positive.optional(),
  bytesPerTransfer: positive.optional(),
  /** Shared by all transfers of the same key that run at once. */
  bytesPerSecond: positive.optional(),
})

export const schema = z.strictObject({
  token: scope.optional(),
  project: scope.optional(),
  address: scope.optional(),
  /** IPv6 addresses that agree in so many leading bits count as one: a household or a server has a whole /64. */
  ipv6Prefix: z.int().min(1).max(128).default(64),
  /** How many keys each limit remembers at most; beyond that the oldest is forgotten. */
  maxKeys: positive.default(100_000),
  redis: z
    .strictObject({
      url: z.url({ protocol: /^rediss?$/, error: 'expected a URL, redis://host:port or rediss://host:port' }),
      /** How long one request may wait for Redis, in milliseconds. */
      timeoutMs: positive.max(5000).default(100),
      /** Stands before every key. */
      prefix: z.string().max(64).default('pipegate:limits:'),
    })
    .optional(),
})

export type Config = z.infer<typeof schema>
export type ScopeName = 'token' | 'project' | 'address'
export type ScopeConfig = z.infer<typeof scope>
export type WindowConfig = z.infer<typeof window>
