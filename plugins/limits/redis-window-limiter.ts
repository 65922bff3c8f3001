import { type RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { WindowConfig } from './config.js'
import type { Windows } from './fixed-window-limiter.js'
import type { RedisConnection } from './redis-connection.js'

/** Counts in Redis, so that several gateways count together; in memory while Redis is down. */
export class RedisWindowLimiter {
  #limiter: RateLimiterRedis | undefined

  constructor(
    readonly connection: RedisConnection,
    readonly name: string,
    readonly config: WindowConfig,
    /** Counts while Redis is down. */
    readonly fallback: Windows,
  ) {}

  /** As `FixedWindowLimiter.take`, but not later than the deadline, a reading of the connection's clock. */
  async take(key: string, deadline: number): Promise<number> {
    this.#limiter ??= this.connection.limiter(this.name, this.config)
    const limiter = this.#limiter
    const found = await this.connection.ask(() => limiter.consume(key).catch(refusalOrThrow), deadline)
    if (found === undefined) return this.fallback.take(key)
    return found.consumedPoints > this.config.points ? Math.max(1, found.msBeforeNext) : 0
  }
}

/** The library throws its answer when it means no. */
function refusalOrThrow(error: unknown): RateLimiterRes {
  if (error instanceof RateLimiterRes) return error
  throw error
}
