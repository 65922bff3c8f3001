import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose'
import type { Log } from '../../../gateway/host/plugin-api.js'
import { TokenProblem } from '../failures.js'
import { MIN_RSA_BITS } from './algorithms.js'
import { type Keys, KeysUnavailable } from './keys.js'
import type { SharedKeys } from './shared-keys.js'

/** An issuer that failed is not asked again for so long, or for the cooldown if that is shorter. */
const AFTER_FAILURE_MS = 5_000
/** How often it is looked whether another thread has got an answer. */
const LOOK_MS = 10

export interface RemoteKeysOptions {
  readonly algorithms: readonly string[]
  /** For one fetch. */
  readonly timeoutMs: number
  /** A token with an unknown key causes no fetch for so long after the last one. */
  readonly cooldownMs: number
  /** Keys older than this are fetched again before they are used, if the issuer answers. */
  readonly maxAgeMs: number
  /** Keys older than this are not used any more, even if the issuer is down. */
  readonly keepMs: number
  /** Milliseconds; of a clock that all threads share, where there is `shared`. */
  readonly now: () => number
  /** What other threads know of the same issuer, which one of them asks. */
  readonly shared?: SharedKeys | undefined
  readonly log: Log
  /** Rejects with an Error in words for the log. */
  readonly fetch: (signal: AbortSignal) => Promise<JSONWebKeySet>
}

type Resolver = (header: JWSHeaderParameters, jws: FlattenedJWSInput) => Promise<CryptoKey>

/**
 * The issuer's keys, from its JWKS address. One fetch at a time, however many tokens wait for it. An issuer that is down, or
 * answers garbage, changes nothing about the keys that are known, for as long as `keepMs`; one that hangs holds up those
 * tokens only that cannot be checked without it.
 */
export class RemoteKeys implements Keys {
  readonly algorithms: readonly string[]
  readonly #options: RemoteKeysOptions
  readonly #stopped = new AbortController()
  #keys: JSONWebKeySet | undefined
  #resolve: Resolver | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #failed = false
  #fetching: Promise<void> | undefined
  /** Whether a key of the set that is known was found useless, and the log says so. */
  #complained = false

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    this.algorithms = options.algorithms
  }

  /** Begins to fetch, so that the first token need not wait. */
  start(): void {
    this.#fetch()
  }

  stop(): void {
    this.#stopped.abort()
  }

  async find(header: JWSHeaderParameters, jws: FlattenedJWSInput, signal: AbortSignal): Promise<CryptoKey> {
    this.#learn()
    await this.#refresh(signal)
    const known = await this.#lookUp(header, jws)
    if (known !== undefined) return known
    // The issuer may have a new key.
    if (this.#mayFetch()) {
      await settled(this.#fetch(), signal)
      const added = await this.#lookUp(header, jws)
      if (added !== undefined) return added
    }
    // While the issuer cannot be asked, nobody knows that the token is bad.
    if (this.#failed || signal.aborted) throw this.#unavailable()
    throw new TokenProblem('unknownKey')
  }

  /** Afterwards there are keys, and as new ones as can be had. */
  async #refresh(signal: AbortSignal): Promise<void> {
    if (this.#age() < this.#options.maxAgeMs) return
    if (this.#mayFetch()) {
      // While the issuer is down nobody waits for it who has a key.
      const waits = !this.#failed || !this.#usable()
      const fetching = this.#fetch()
      if (waits) await settled(fetching, signal)
    }
    if (!this.#usable()) throw this.#unavailable()
  }

  /** Undefined: no such key. */
  async #lookUp(header: JWSHeaderParameters, jws: FlattenedJWSInput): Promise<CryptoKey | undefined> {
    try {
      const key = await this.#resolve!(header, jws)
      const { modulusLength = MIN_RSA_BITS } = key.algorithm as { modulusLength?: number }
      if (modulusLength < MIN_RSA_BITS)
        throw new Error(`it has ${modulusLength} bits, expected at least ${MIN_RSA_BITS}`)
      return key
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw new TokenProblem('ambiguousKey')
      if (!this.#complained) {
        this.#complained = true
        const why = error instanceof Error ? error.message : 'unknown'
        this.#options.log.warn(
          { why },
          'the issuer has a key that cannot be used; tokens signed with it are answered 503',
        )
      }
      throw this.#unavailable()
    }
  }

  #age(): number {
    return this.#options.now() - this.#fetchedAt
  }

  #usable(): boolean {
    return this.#age() < this.#options.keepMs
  }

  /** Milliseconds until the issuer may be asked again. */
  #pause(): number {
    const { cooldownMs, now } = this.#options
    return this.#triedAt + (this.#failed ? Math.min(AFTER_FAILURE_MS, cooldownMs) : cooldownMs) - now()
  }

  #mayFetch(): boolean {
    return this.#fetching !== undefined || this.#pause() <= 0
  }

  #unavailable(): KeysUnavailable {
    return new KeysUnavailable(Math.max(1, Math.ceil(this.#pause() / 1000)))
  }

  /** Never rejects. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchForAll(this.#options.shared).finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  /** Where other threads want the same, one of them asks. */
  async #fetchForAll(shared: SharedKeys | undefined): Promise<void> {
    if (shared === undefined) return this.#fetchOnce()
    if (!shared.begin()) return this.#waitFor(shared)
    try {
      // Another one may have asked just now.
      if (this.#learn() && this.#pause() > 0) return
      await this.#fetchOnce()
      if (!this.#stopped.signal.aborted)
        shared.tell({ keys: this.#keys, fetchedAt: this.#fetchedAt, triedAt: this.#triedAt, failed: this.#failed })
    } finally {
      shared.give()
    }
  }

  /** Until another thread has asked, or is over. */
  async #waitFor(shared: SharedKeys): Promise<void> {
    const { now, timeoutMs } = this.#options
    const deadline = now() + timeoutMs
    while (shared.isBusy && now() < deadline && !this.#stopped.signal.aborted)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    this.#learn()
  }

  /** Takes over what another thread has learnt. Returns whether there was anything. */
  #learn(): boolean {
    const news = this.#options.shared?.news()
    if (news === undefined) return false
    if (news.keys !== undefined && news.fetchedAt !== this.#fetchedAt) this.#use(news.keys)
    this.#fetchedAt = news.fetchedAt
    this.#triedAt = news.triedAt
    this.#failed = news.failed
    return true
  }

  #use(keys: JSONWebKeySet): void {
    this.#keys = keys
    this.#resolve = createLocalJWKSet(keys)
    this.#complained = false
  }

  async #fetchOnce(): Promise<void> {
    const { fetch, log, now, timeoutMs } = this.#options
    // Not AbortSignal.any() with AbortSignal.timeout(): Node 20 collects the latter as garbage, and it never fires.
    const control = new AbortController()
    const abort = () => control.abort()
    const timer = setTimeout(abort, timeoutMs)
    this.#stopped.signal.addEventListener('abort', abort)
    try {
      const keys = await fetch(control.signal)
      this.#use(keys)
      this.#fetchedAt = now()
      if (this.#failed) log.info({ keys: keys.keys.length }, "the issuer's keys can be had again")
      this.#failed = false
    } catch (error) {
      // One line when it begins; the issuer may stay away for long.
      const why = error instanceof Error ? error.message : String(error)
      if (!this.#failed && !this.#stopped.signal.aborted) log.warn({ why }, "the issuer's keys cannot be had")
      this.#failed = true
    } finally {
      clearTimeout(timer)
      this.#stopped.signal.removeEventListener('abort', abort)
    }
    this.#triedAt = now()
  }
}

/** Resolves when the work is done or the signal fires. */
function settled(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    work.then(done)
  })
}
