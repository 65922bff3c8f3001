import type { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { Log } from '../../gateway/host/plugin-api.js'
import type { Config, WindowConfig } from './config.js'

type RedisConfig = NonNullable<Config['redis']>

/** For how long Redis is not asked after a failure. */
const RETRY_MS = 1000

/** The connection to Redis that all windows share, and whether it is worth asking. */
export class RedisConnection {
  #redis: Redis | undefined
  #retryAt = 0
  #isUp = true

  constructor(
    readonly config: RedisConfig,
    readonly log: Log,
    readonly now: () => number,
  ) {}

  /**
   * Connects. A Redis that is not there does not stop the start.
   * @throws Error with one line when the package for it is missing
   */
  async start(): Promise<void> {
    const { Redis } = await import('ioredis').catch(() => {
      throw new Error('redis is configured, but the package ioredis is not installed; npm install ioredis@6')
    })
    const { url, timeoutMs } = this.config
    const redis = new Redis(url, {
      lazyConnect: true,
      // Without a connection a command fails at once.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: 1000,
      commandTimeout: timeoutMs,
      retryStrategy: (times) => Math.min(2000, 50 * 2 ** Math.min(times, 6)),
    })
    this.#redis = redis
    // ioredis prints errors that have no listener. The message may have the address in it, but never the URL with its password.
    redis.on('error', (error: Error) => this.#failed(error.message))
    redis.on('close', () => this.#failed('the connection was closed'))
    redis.on('ready', () => {
      this.#retryAt = 0
      if (!this.#isUp) this.log.info({}, 'Redis is back: limits are shared again')
      this.#isUp = true
    })
    await redis.connect().catch(() => {})
  }

  stop(): void {
    this.#redis?.removeAllListeners('close')
    this.#redis?.disconnect()
  }

  /** A limiter on this connection; only after `start`. */
  limiter(name: string, { points, seconds }: WindowConfig): RateLimiterRedis {
    return new RateLimiterRedis({
      storeClient: this.#redis,
      keyPrefix: `${this.config.prefix}${name}`,
      points,
      duration: seconds,
      rejectIfRedisNotReady: true,
    })
  }

  /** Until when a request that comes now may wait. */
  get deadline(): number {
    return this.now() + this.config.timeoutMs
  }

  /** What Redis says, or undefined when it does not say anything in time. */
  async ask<T>(question: () => Promise<T>, deadline: number): Promise<T | undefined> {
    const ms = deadline - this.now()
    if (this.#redis?.status !== 'ready' || this.now() < this.#retryAt || ms <= 0) return undefined
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, ms, new Error(`no answer within ${this.config.timeoutMs} ms`))
    })
    try {
      const answer = await Promise.race([question(), late])
      this.#answered()
      return answer
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error))
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  #answered(): void {
    if (this.#isUp) return
    this.log.info({}, 'Redis is back: limits are shared again')
    this.#isUp = true
  }

  #failed(why: string): void {
    this.#retryAt = this.now() + RETRY_MS
    if (!this.#isUp) return
    this.#isUp = false
    this.log.warn({ why }, 'Redis is down: each gateway counts for itself')
  }
}
