import { readFileSync } from 'node:fs'
import type { Host } from '../../../gateway/host/plugin-api.js'
import type { Config, ForwardingConfig } from '../config.js'
import type { FailureKey } from '../failures.js'
import { Pool } from '../pool/pool.js'
import type { Upstream } from '../pool/upstream.js'
import { type Agents, httpAgents, httpsAgents } from './agents.js'
import { ConnectionSet, type TrackedConnection } from './connection-set.js'
import { type Timeouts, timeoutsOf } from './timeouts.js'

export type ProxyHost = Host<Config, FailureKey>

/** A request on its way to an upstream, as its service sees it. */
export interface ActiveRequest extends TrackedConnection {
  /** Ends it if it has taken too long. */
  tick(now: number): void
  /** The upstreams have changed. */
  reconsider(): void
}

/** A WebSocket to an upstream, as its service sees it. */
export interface ActiveWebSocket extends TrackedConnection {
  /** The gateway shuts down: closes it in order. */
  drain(): void
  /** Cuts what is left. */
  stop(): void
}

/** What stands behind a route: its upstreams, the connections to them, and the requests that are on their way. */
export class Service {
  readonly pool: Pool
  readonly timeouts: Timeouts
  /** The upstreams are pipegates, each of which has its own names. */
  readonly byName: boolean
  readonly requests = new ConnectionSet<ActiveRequest>()
  readonly webSockets = new ConnectionSet<ActiveWebSocket>()
  /** Certificates of authorities, if not those that Node trusts. */
  readonly trust: { readonly ca?: Buffer }
  readonly #http = httpAgents()
  readonly #https: Agents

  /** @throws Error with one line */
  constructor(
    readonly config: ForwardingConfig,
    readonly host: ProxyHost,
    headers: Readonly<Record<string, string>>,
  ) {
    const { ca, balance, health } = config
    const byName = balance === 'name'
    // A pipegate has a health answer.
    const path = health.path ?? (byName ? `${host.prefix}/health` : undefined)
    const onChange = byName ? () => this.#reconsider() : undefined
    const trust = ca === undefined ? {} : { ca: readFileSync(host.resolve(ca)) }
    this.pool = new Pool({
      config: { ...config, health: { ...health, path } },
      headers,
      trust,
      log: host.log,
      onChange,
    })
    this.byName = byName
    this.trust = trust
    this.#https = httpsAgents(trust)
    this.timeouts = timeoutsOf(config)
  }

  agentsFor({ protocol }: Upstream): Agents {
    return protocol === 'https:' ? this.#https : this.#http
  }

  /** Ends what has taken too long. */
  tick(now: number): void {
    this.requests.each((request) => request.tick(now))
  }

  /** The list of upstreams has changed, and with it where some of the names belong. */
  #reconsider(): void {
    this.requests.each((request) => request.reconsider())
  }

  drain(): void {
    this.webSockets.each((socket) => socket.drain())
  }

  stop(): void {
    this.pool.stop()
    this.webSockets.each((socket) => socket.stop())
    for (const { kept, fresh } of [this.#http, this.#https]) {
      kept.destroy()
      fresh.destroy()
    }
  }
}
