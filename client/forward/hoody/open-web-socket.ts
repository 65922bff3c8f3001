import type { Agent } from 'node:http'
import https from 'node:https'
import { WebSocket } from 'ws'
import type { NamedPlace } from '../../place.js'
import type { Reach } from '../../wire/reach.js'

/** So long a server may take to answer, in milliseconds. */
const HANDSHAKE_MS = 20_000
/** What no peer sends: more than a server takes of a message. */
const MOST_BYTES = 1024 * 1024

/** Asks for a WebSocket on a name. @param mode parameters of the address, with `ws` among them */
export async function openWebSocket({ address, headers, reach }: NamedPlace, mode: string): Promise<WebSocket> {
  const { hostname, port } = address.server
  const host = `${hostname.includes(':') ? `[${hostname}]` : hostname}${port === undefined ? '' : `:${port}`}`
  return new WebSocket(`${reach.isSecure ? 'wss' : 'ws'}://${host}`, [], {
    headers: { 'user-agent': 'pipegate', ...headers },
    agent: await agentOf(reach),
    ...reach.tls,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MOST_BYTES,
    perMessageDeflate: false,
    // As it is written: an address that is taken apart is another name.
    finishRequest(request) {
      request.path = address.target(mode)
      request.end()
    },
  })
}

/** A proxy passes on an upgrade only in a tunnel (RFC 6455, 4.1). */
async function agentOf({ agent, forward, isSecure }: Reach): Promise<Agent> {
  if (forward === undefined || isSecure) return agent
  const { HttpsProxyAgent } = await import('https-proxy-agent')
  const host = forward.hostname.includes(':') ? `[${forward.hostname}]` : forward.hostname
  const scheme = agent instanceof https.Agent ? 'https' : 'http'
  return new HttpsProxyAgent(new URL(`${scheme}://${host}:${forward.port}`), { headers: { ...forward.headers } })
}
