import type { Log } from '../../../gateway/host/plugin-api.js'
import { readDnsName, type UpstreamsConfig } from './config.js'
import { DnsLookup } from './dns-lookup.js'
import { checkHealth, type HealthCheckOptions, ITSELF, problemOf, type UpstreamProblem } from './health-check.js'
import { HealthState, type HealthThresholds } from './health-state.js'
import { heaviest } from './rendezvous.js'
import { readOrigin, type Target, targetOf, type Upstream } from './upstream.js'

export interface PoolOptions {
  readonly config: UpstreamsConfig
  /** On every request of a check: the header by which a loop is seen. */
  readonly headers?: Readonly<Record<string, string>>
  /** Whose certificates are accepted, if not those of the authorities that Node trusts. */
  readonly trust?: { readonly ca?: Buffer }
  readonly log: Log
  /** The list of upstreams in use has changed, and with it where names belong. */
  readonly onChange?: (() => void) | undefined
}

/** One upstream and its health. */
interface PoolMember extends Target {
  readonly health: HealthState
  timer: NodeJS.Timeout | undefined
}

/** Fraction of the interval by which each check is moved, so that checks of many edges and upstreams spread. */
const JITTER = 0.1

const DRAINING: UpstreamProblem = { why: 'shutting down', certain: true }

const ITSELF_LINE = 'an upstream is this gateway itself and gets no requests: take it out of the configuration'

/**
 * The upstreams of one service: which there are, which of them can be used, and which of those gets a request. It has to be
 * started before it knows any.
 */
export class Pool {
  readonly #options: PoolOptions
  readonly #healthCheck: HealthCheckOptions
  readonly #rules: HealthThresholds
  readonly #intervalMs: number
  readonly #stopped = new AbortController()
  readonly #lookup: DnsLookup | undefined
  #members: PoolMember[] = []
  /** Those that are up; a new list when that changes. */
  #up: readonly PoolMember[] = []
  #turn = 0

  constructor(options: PoolOptions) {
    this.#options = options
    const { health, dns, resolver, lookup } = options.config
    this.#healthCheck = {
      path: health.path,
      timeoutMs: health.timeout * 1000,
      headers: options.headers ?? {},
      trust: options.trust ?? {},
    }
    this.#rules = health
    this.#intervalMs = health.interval * 1000
    this.#lookup =
      dns === undefined
        ? undefined
        : new DnsLookup({
            origin: readDnsName(dns)!,
            intervalMs: lookup * 1000,
            servers: resolver,
            log: options.log,
            onFound: (targets) => this.#set(targets),
          })
  }

  /**
   * Resolves when every upstream has been checked once, or the time for that is over: an upstream that is down, or a name that
   * cannot be looked up, does not prevent the start. Never rejects.
   */
  async start(signal: AbortSignal): Promise<void> {
    const { upstreams } = this.#options.config
    if (this.#lookup !== undefined) await this.#lookup.start(signal)
    else await this.#set(upstreams!.map((text) => targetOf(readOrigin(text)!)))
  }

  stop(): void {
    this.#stopped.abort()
    this.#lookup?.stop()
    for (const { timer } of this.#members) clearTimeout(timer)
  }

  /**
   * @param key undefined: each in turn
   * @returns undefined when none can be used; {@link why} tells the reason
   */
  pick(key: string | undefined): Upstream | undefined {
    if (key !== undefined) return heaviest(this.#up, key)
    if (this.#turn >= this.#up.length) this.#turn = 0
    return this.#up[this.#turn++]
  }

  /** Why there is none, for the client that is refused: `no upstream is healthy: 10.0.0.1:8080 (refused)`. */
  get why(): string {
    if (this.#members.length === 0) return `no upstream is known: ${this.#lookup?.problem ?? 'not looked up yet'}`
    const each = this.#members.map(({ id, health }) => `${id} (${health.problem?.why ?? 'not checked yet'})`)
    return `no upstream is healthy: ${each.join(', ')}`
  }

  /** A request could not be sent to it, or it broke off before its answer began. Not for what a client has done. */
  failed(upstream: Upstream, error: Error): void {
    const member = this.#find(upstream)
    if (member !== undefined) this.#note(member, () => member.health.failed(problemOf(error)))
  }

  /** It has begun to answer a request. */
  succeeded(upstream: Upstream): void {
    this.#find(upstream)?.health.succeeded()
  }

  /** It has said that it takes no more requests. */
  draining(upstream: Upstream): void {
    const member = this.#find(upstream)
    if (member !== undefined) this.#note(member, () => member.health.failed(DRAINING))
  }

  /** Requests that were sent to it come back. */
  isItself(upstream: Upstream): void {
    const member = this.#find(upstream)
    if (member !== undefined) this.#note(member, () => member.health.failed(ITSELF))
  }

  /** Undefined when it has left the pool since it was picked. */
  #find(upstream: Upstream): PoolMember | undefined {
    return this.#members.find((member) => member === upstream)
  }

  /** Resolves when all new ones have been checked. */
  async #set(targets: readonly Target[]): Promise<void> {
    const known = new Map(this.#members.map((member) => [member.id, member]))
    const added: PoolMember[] = []
    this.#members = targets.map((target) => {
      const existing = known.get(target.id)
      known.delete(target.id)
      if (existing !== undefined) return existing
      const member = { ...target, health: new HealthState(this.#rules), timer: undefined }
      added.push(member)
      return member
    })
    for (const { timer } of known.values()) clearTimeout(timer)
    if (known.size > 0) this.#refresh()
    const urls = (all: Iterable<Target>) => Array.from(all, ({ url }) => url)
    this.#options.log.info({ upstreams: urls(targets), gone: urls(known.values()) }, 'the upstreams are known')
    await Promise.all(added.map((member) => this.#checkRegularly(member)))
  }

  /** Checks it now, and then again and again while it is there. */
  async #checkRegularly(member: PoolMember): Promise<void> {
    const { signal } = this.#stopped
    const isNew = member.timer === undefined
    const problem = await checkHealth(member, this.#healthCheck, signal)
    if (signal.aborted || !this.#members.includes(member)) return
    this.#note(member, () => member.health.checked(problem))
    // The second check comes anywhere within the pause: all have had their first one at the same time.
    const part = isNew ? Math.random() : 1 + JITTER * (2 * Math.random() - 1)
    member.timer = setTimeout(() => void this.#checkRegularly(member), this.#intervalMs * part).unref()
  }

  /** @param update returns whether the state has changed */
  #note({ url, health }: PoolMember, update: () => boolean): void {
    const { log } = this.#options
    const before = health.problem
    const changed = update()
    const { problem } = health
    // Before its own port was open it was down for another reason.
    if (problem === ITSELF && before !== ITSELF) log.error({ upstream: url }, ITSELF_LINE)
    else if (changed && problem === undefined) log.info({ upstream: url }, 'an upstream is up')
    else if (changed && problem !== undefined) log.warn({ upstream: url, why: problem.why }, 'an upstream is down')
    if (changed) this.#refresh()
  }

  #refresh(): void {
    this.#up = this.#members.filter(({ health }) => health.isUp)
    this.#options.onChange?.()
  }
}
