import type { Host, Join, Refusal } from '../../gateway/host/plugin-api.js'
import { type Concurrency, ConcurrencyCounter } from './concurrency-counter.js'
import type { Config, ScopeConfig, ScopeName } from './config.js'
import type { FailureKey } from './failures.js'
import { FixedWindowLimiter, type Windows } from './fixed-window-limiter.js'
import type { RedisConnection } from './redis-connection.js'
import { RedisWindowLimiter } from './redis-window-limiter.js'
import { SharedBuckets, SharedConcurrency, SharedWindows } from './shared-limits.js'
import { Throttles } from './throttles.js'

type LimitsHost = Host<Config, FailureKey>
type WindowName = 'requests' | 'transfers'

/** It is not known when a transfer will be over. */
const RETRY_PIPES_S = 5

/** All limits of one kind of key: of tokens, of projects or of addresses. */
export class Scope {
  readonly #local: Partial<Record<WindowName, Windows>> = {}
  readonly #shared: Partial<Record<WindowName, RedisWindowLimiter>> = {}
  readonly #pipes: Concurrency | undefined
  readonly #throttles: Throttles | undefined

  constructor(
    readonly name: ScopeName,
    readonly config: ScopeConfig,
    readonly host: LimitsHost,
    redis: RedisConnection | undefined,
  ) {
    const { maxKeys } = host.config
    const isAlone = host.thread.count === 1
    for (const what of ['requests', 'transfers'] as const) {
      const window = config[what]
      if (window === undefined) continue
      const limiter = isAlone
        ? new FixedWindowLimiter(window, maxKeys, host.now)
        : new SharedWindows(host, `${name} ${what}`, window, maxKeys)
      this.#local[what] = limiter
      // Requests are counted by address in a synchronous hook, which cannot wait for Redis.
      if (redis === undefined || (name === 'address' && what === 'requests')) continue
      this.#shared[what] = new RedisWindowLimiter(redis, `${name}:${what}`, window, limiter)
    }
    const { pipes, bytesPerSecond } = config
    if (pipes !== undefined) {
      this.#pipes = isAlone
        ? new ConcurrencyCounter(pipes)
        : new SharedConcurrency(host, `${name} pipes`, pipes, maxKeys)
    }
    if (bytesPerSecond !== undefined) {
      const buckets = isAlone ? undefined : new SharedBuckets(host, `${name} speed`, maxKeys)
      this.#throttles = new Throttles((key) => host.throttle(bytesPerSecond, buckets?.of(key)), maxKeys)
    }
  }

  /** Counts in this process, unless it is counted together with other gateways: then `takeShared` does. */
  take(what: WindowName, key: string): Refusal | undefined {
    if (this.#shared[what] !== undefined) return undefined
    return this.#used(what, this.#local[what]?.take(key) ?? 0)
  }

  async takeShared(what: WindowName, key: string, deadline: number): Promise<Refusal | undefined> {
    return this.#used(what, (await this.#shared[what]?.take(key, deadline)) ?? 0)
  }

  /** Everything about a side but its windows. What it takes is given back when the side's response is over. */
  enter(key: string, join: Join, announced: number): Refusal | undefined {
    const { bytesPerTransfer, pipes = 0 } = this.config
    if (bytesPerTransfer !== undefined) {
      if (announced > bytesPerTransfer) {
        const values = { found: announced, most: bytesPerTransfer, scope: this.name }
        return this.host.refuse('tooLarge', values, [this.#hit('bytesPerTransfer')])
      }
      join.tighten('maxBytes', bytesPerTransfer)
    }
    if (this.#pipes !== undefined) {
      if (!this.#pipes.enter(key)) return this.#refuse('pipes', RETRY_PIPES_S, { most: pipes })
      join.onOver(() => this.#pipes?.leave(key))
    }
    if (this.#throttles !== undefined) {
      join.throttle(this.#throttles.enter(key))
      join.onOver(() => this.#throttles?.leave(key))
    }
    return undefined
  }

  /** Drops what is no longer needed. */
  sweep(): void {
    this.#throttles?.sweep()
    for (const limiter of Object.values(this.#local)) limiter.forgetOld()
  }

  #used(what: WindowName, ms: number): Refusal | undefined {
    return ms > 0 ? this.#refuse(what, Math.ceil(ms / 1000), { ...this.config[what]! }) : undefined
  }

  #refuse(what: WindowName | 'pipes', retry: number, values: Readonly<Record<string, number>>): Refusal {
    const headers = [['Retry-After', String(retry)], this.#hit(what)] as const
    return this.host.refuse(what, { ...values, retry, scope: this.name }, headers)
  }

  #hit(limit: keyof ScopeConfig): readonly [string, string] {
    return ['X-Pipe-Limit', `${this.name}.${limit}`]
  }
}
