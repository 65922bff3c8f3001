import { type ClientRequest, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'

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
  return { kept: quick(new Agent({ ...options, keepAlive: true })), fresh: new Agent(options) }
}

/**
 * Node looks at two dozen options of each request to name the connection that it needs, but the connections of one of these
 * agents differ only in host, port and server name. Node also copies all options for each request, most of them undefined: a
 * plain connection needs two.
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
