import { promises as dns } from 'node:dns'
import type { Log } from '../../../gateway/host/plugin-api.js'
import { type Target, targetOf } from './upstream.js'

/** For one server and one try; c-ares doubles it for the second. */
const TIMEOUT_MS = 1000
/** The first lookup holds a start up for so long at most. */
const FIRST_MS = 5000

/** What a DNS server says when a name has no address of a kind, or does not exist. */
const NONE = new Set(['ENODATA', 'ENOTFOUND'])

export interface DnsLookupOptions {
  /** A DNS name where the host stands. */
  readonly origin: URL
  readonly intervalMs: number
  /** Addresses of DNS servers; the system's without it. */
  readonly servers: readonly string[] | undefined
  readonly log: Log
  /** Gets the whole list, never an empty one, after each lookup that found it changed. The next lookup waits for it. */
  readonly onFound: (targets: readonly Target[]) => Promise<void>
}

/**
 * The upstreams that a DNS name stands for, asked for again and again. A lookup that fails, or finds nothing, changes nothing: no
 * DNS server can take all upstreams away by going down, and those that are really gone fail their checks.
 */
export class DnsLookup {
  readonly #options: DnsLookupOptions
  readonly #resolver = new dns.Resolver({ timeout: TIMEOUT_MS, tries: 2 })
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #found = ''
  /** Why the last lookup failed; undefined when it did not. */
  problem: string | undefined

  constructor(options: DnsLookupOptions) {
    this.#options = options
    if (options.servers !== undefined) this.#resolver.setServers(options.servers)
  }

  /** Resolves when what the first lookup found has been dealt with, or when that takes too long. Never rejects. */
  start(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, FIRST_MS)
      signal.addEventListener('abort', () => resolve(), { once: true })
      void this.#look().then(() => {
        clearTimeout(limit)
        resolve()
      })
    })
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#resolver.cancel()
  }

  async #look(): Promise<void> {
    const { origin, intervalMs, log, onFound } = this.#options
    const name = origin.hostname.replace(/\.$/, '')
    try {
      const addresses = await this.#addresses(name)
      if (this.#stopped) return
      if (this.problem !== undefined) log.info({ name, addresses }, 'the upstreams can be looked up again')
      this.problem = undefined
      const found = addresses.join()
      if (found !== this.#found) {
        this.#found = found
        await onFound(addresses.map((address) => targetOf(origin, address)))
      }
    } catch (error) {
      if (this.#stopped) return
      const why = `${name}: ${reasonOf(error)}`
      // One line when it begins; it may last.
      if (this.problem === undefined) log.warn({ name, why }, 'the upstreams cannot be looked up; those known stay')
      this.problem = why
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#look(), intervalMs).unref()
  }

  /** In one order and each once. @throws when there are none, or nobody knows */
  async #addresses(name: string): Promise<string[]> {
    const v4 = await this.#resolver.resolve4(name).catch((error) => {
      if (NONE.has(error.code)) return []
      throw error
    })
    const all = v4.length > 0 ? v4 : await this.#resolver.resolve6(name)
    return [...new Set(all)].sort()
  }
}

function reasonOf(error: unknown): string {
  const { code = 'unknown' } = error as NodeJS.ErrnoException
  if (code === 'ENOTFOUND') return 'there is no such name'
  if (code === 'ENODATA') return 'it has no addresses'
  if (code === 'ETIMEOUT') return 'no DNS server answers'
  return code
}
