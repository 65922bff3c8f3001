import { type ClientRequest, Agent as HttpAgent, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'

/** How a connection is taken: from those that are kept alive, or a fresh one. */
export interface Agents {
  readonly kept: HttpAgent
  readonly fresh: HttpAgent
}

export function httpAgents(): Agents {
  return agents(HttpAgent, {})
}

/** @param trust certificates of authorities, if not those that Node trusts */
export function httpsAgents(trust: { readonly ca?: Buffer }): Agents {
  return agents(HttpsAgent, trust)
}

function agents(Agent: typeof HttpAgent, options: object): Agents {
  return { kept: heedful(quick(new Agent({ ...options, keepAlive: true }))), fresh: new Agent(options) }
}

/** How long before an upstream would close a kept connection it is not used any more, in milliseconds. */
const MARGIN_MS = 1000

/**
 * Heeds `Keep-Alive: timeout=N` of an upstream, which Node does only when the agent has a timeout of its own. A request that meets
 * the upstream's close has failed, and one with a body cannot be sent again.
 */
function heedful(agent: HttpAgent): HttpAgent {
  const { keepSocketAlive, reuseSocket } = agent as unknown as KeptSockets
  const heeding: KeptSockets = {
    keepSocketAlive(socket) {
      const seconds = /(?:^|,)\s*timeout=(\d+)/.exec(`${socket._httpMessage?.res?.headers['keep-alive']}`)?.[1]
      if (!keepSocketAlive.call(agent, socket)) return false
      if (seconds === undefined) return true
      const ms = Number(seconds) * 1000 - MARGIN_MS
      // The agent closes a socket that times out while it is free.
      if (ms > 0) socket.setTimeout(ms)
      return ms > 0
    },
    reuseSocket(socket, request) {
      socket.setTimeout(0)
      reuseSocket.call(agent, socket, request)
    },
  }
  return Object.assign(agent, heeding)
}

/**
 * Node looks at two dozen options of each request to name the connection that it needs, but the connections of one of these
 * agents differ only in host, port and server name. Node also copies all options for each request, most of them undefined: a
 * plain connection needs two. Without a server name Node would take the one in `Host`, and keep connections for each.
 */
function quick(agent: HttpAgent): HttpAgent {
  agent.getName = (options) => `${options?.host}:${options?.port}:${(options as SecureContext)?.servername}`
  if (agent instanceof HttpsAgent) return agent
  const queue = agent as unknown as RequestQueue
  const { addRequest } = queue
  queue.addRequest = (request, { host, port }) => addRequest.call(queue, request, { host, port, servername: '' })
  return agent
}

interface KeptSockets {
  keepSocketAlive(this: unknown, socket: KeptSocket): boolean
  reuseSocket(this: unknown, socket: KeptSocket, request: ClientRequest): void
}

interface KeptSocket extends Socket {
  readonly _httpMessage?: { readonly res?: IncomingMessage }
}

/** What Node's types leave out of an agent. */
interface RequestQueue {
  addRequest(request: ClientRequest, options: AgentOptions): void
}

interface AgentOptions extends SecureContext {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

interface SecureContext {
  readonly servername?: string | undefined
}
