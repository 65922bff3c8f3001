import { readFileSync } from 'node:fs'
import { type ClientRequest, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Host } from '../../../gateway/host/plugin-api.js'
import type { Config, ForwardingConfig } from '../config.js'
import { Crowd } from './connection-set.js'
import type { FailureKey } from '../failures.js'
import type { Forwarding } from '../forwarding/forwarded-request.js'
import { Pool } from '../pool/pool.js'
import type { Tunnel } from '../websocket/tunnel.js'
import type { Upstream } from '../pool/upstream.js'

export type ProxyHost = Host<Config, FailureKey>

/** How long each part of a request may take, in milliseconds; Infinity for no limit. */
export interface Timeouts {
  readonly connect: number
  readonly response: number
  readonly idle: number
}

/** How a connection is taken: from those that are kept, or a fresh one. */
export interface Agents {
  readonly kept: HttpAgent
  readonly fresh: HttpAgent
}

const RESPONSE_S = 60
const IDLE_S = 300

/** What stands behind a route: its upstreams, the connections to them, and the requests that are on their way. */
export class Service {
  readonly pool: Pool
  readonly timeouts: Timeouts
  /** The upstreams are pipegates, each of which has its own names. */
  readonly byName: boolean
  readonly running = new Crowd<Forwarding>()
  readonly tunnels = new Crowd<Tunnel>()
  /** Certificates of authorities, if not those that Node trusts. */
  readonly trust: { readonly ca?: Buffer }
  readonly #http = agents(HttpAgent, {})
  readonly #https: Agents

  /** @throws Error with one line */
  constructor(
    readonly config: ForwardingConfig,
    readonly host: ProxyHost,
    headers: Readonly<Record<string, string>>,
  ) {
    const { ca, timeouts, balance, health } = config
    const byName = balance === 'name'
    // A pipegate says how it is.
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
    this.#https = agents(HttpsAgent, trust)
    // Pipegates have limits of their own, which know what is waited for.
    this.timeouts = {
      connect: ms(timeouts.connect),
      response: ms(timeouts.response ?? (byName ? 0 : RESPONSE_S)),
      idle: ms(timeouts.idle ?? (byName ? 0 : IDLE_S)),
    }
  }

  agentsFor({ protocol }: Upstream): Agents {
    return protocol === 'https:' ? this.#https : this.#http
  }

  /** Ends what has taken too long. */
  tick(now: number): void {
    this.running.each((forwarding) => forwarding.tick(now))
  }

  /** Which upstreams there are has changed, and with it where some of the names belong. */
  #reconsider(): void {
    this.running.each((forwarding) => forwarding.reconsider())
  }

  drain(): void {
    this.tunnels.each((tunnel) => tunnel.leave())
  }

  stop(): void {
    this.pool.stop()
    this.tunnels.each((tunnel) => tunnel.stop())
    for (const { kept, fresh } of [this.#http, this.#https]) {
      kept.destroy()
      fresh.destroy()
    }
  }
}

function agents(Agent: typeof HttpAgent, options: object): Agents {
  return { kept: quick(new Agent({ ...options, keepAlive: true })), fresh: new Agent(options) }
}

/**
 * Connections of one agent differ in nothing else, and Node looks at two dozen options for each request. It also copies all of
 * them, most of which are undefined, for each request: a plain connection needs two.
 */
function quick(agent: HttpAgent): HttpAgent {
  agent.getName = (options) => `${options?.host}:${options?.port}:${(options as SecureContext)?.servername}`
  if (agent instanceof HttpsAgent) return agent
  const queue = agent as unknown as RequestQueue
  const { addRequest } = queue
  queue.addRequest = (request, { host, port }) => addRequest.call(queue, request, { host, port })
  return agent
}

/** What Node's types leave out of an agent. */
interface RequestQueue {
  addRequest(request: ClientRequest, options: AgentOptions): void
}

interface AgentOptions {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

interface SecureContext {
  readonly servername?: string
}

function ms(seconds: number): number {
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000
}
