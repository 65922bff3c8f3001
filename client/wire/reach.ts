import http, { type Agent } from 'node:http'
import https, { type AgentOptions } from 'node:https'
import { getProxyForUrl } from 'proxy-from-env'
import { type TlsFlags, type TlsOptions, tlsOptions } from '../certificates.js'
import { WrongUsage } from '../cli/wrong-usage.js'

/** The way to a server: straight, or by the proxy that the environment names; with the certificates that are trusted. */
export interface Reach {
  readonly agent: Agent
  /** What each request says about TLS: an agent that goes through a proxy takes it from there. */
  readonly tls: TlsOptions
  /** Whether requests are made by `node:https`. */
  readonly isSecure: boolean
  /** A proxy that is asked for whole addresses; undefined when the agent does all that there is to do. */
  readonly forward: Forward | undefined
}

/** Whom a request without TLS is given to. */
export interface Forward {
  readonly hostname: string
  readonly port: number
  /** Who asks it, if it wants to know. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * By `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, as curl reads them.
 * @param url of the server
 * @param flags which certificates are trusted, and which one is shown
 * @param more for its connections, besides or instead of what is usual
 * @throws WrongUsage
 */
export async function reach(url: URL, flags: TlsFlags, more: AgentOptions = {}): Promise<Reach> {
  const tls = tlsOptions(flags)
  // Kept, so that waiting in short turns does not shake hands at each of them.
  // A proxy is trusted as the server is, and learns nothing of who the client is to that.
  const options = { keepAlive: true, maxSockets: 8, ...(tls.ca === undefined ? {} : { ca: tls.ca }), ...more }
  const proxy = getProxyForUrl(url.href)
  const isSecure = url.protocol === 'https:'
  if (proxy === '') return { agent: newAgent(isSecure, options), tls, isSecure, forward: undefined }
  if (!URL.canParse(proxy) || !/^https?:$/.test(new URL(proxy).protocol) || !hasCredentials(new URL(proxy))) {
    throw new WrongUsage(
      'the proxy that the environment names is no address such as http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with %25 for a percent sign',
    )
  }
  if (isSecure) {
    // Loaded by who has a proxy.
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    return { agent: new HttpsProxyAgent(proxy, options), tls, isSecure, forward: undefined }
  }
  return forwarded(new URL(proxy), options)
}

/** False for credentials with a percent sign that is no escape: who uses them later would fail without saying of what. */
function hasCredentials({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}

function newAgent(isSecure: boolean, options: AgentOptions): Agent {
  return isSecure ? new https.Agent(options) : new http.Agent(options)
}

function forwarded({ protocol, hostname, port, username, password }: URL, options: AgentOptions): Reach {
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const isSecure = protocol === 'https:'
  return {
    agent: newAgent(isSecure, options),
    tls: {},
    isSecure,
    forward: {
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (isSecure ? 443 : 80),
      headers: username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` },
    },
  }
}
