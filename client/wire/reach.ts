import http, { type Agent } from 'node:http'
import https, { type AgentOptions } from 'node:https'
import { getProxyForUrl } from 'proxy-from-env'
import { certificates } from '../certificates.js'
import { WrongUsage } from '../cli/wrong-usage.js'

/** The way to a server: straight, or by the proxy that the environment names; with the certificates that are trusted. */
export interface Reach {
  readonly agent: Agent
  /** `https://proxy.example:3128`, for people; undefined when it is straight. */
  readonly proxy: string | undefined
}

/**
 * By `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, as curl reads them.
 * @param url of the server
 * @param caFile certificates to trust instead of those that Node trusts, PEM
 * @throws WrongUsage
 */
export async function reach(url: URL, caFile: string | undefined): Promise<Reach> {
  const ca = caFile === undefined ? {} : { ca: certificates(caFile)! }
  // Kept, so that waiting in short turns does not shake hands at each of them.
  const options = { keepAlive: true, maxSockets: 8, ...ca }
  const proxy = getProxyForUrl(url.href)
  const isSecure = url.protocol === 'https:'
  if (proxy === '') return { agent: isSecure ? new https.Agent(options) : new http.Agent(options), proxy: undefined }
  if (!URL.canParse(proxy) || !/^https?:$/.test(new URL(proxy).protocol)) {
    throw new WrongUsage('the proxy that the environment names is no address such as http://HOST:PORT')
  }
  return { agent: await proxyAgent(proxy, isSecure, options), proxy: new URL(proxy).origin }
}

/** Loaded by who has a proxy. */
async function proxyAgent(proxy: string, isSecure: boolean, options: AgentOptions): Promise<Agent> {
  if (!isSecure) return new (await import('http-proxy-agent')).HttpProxyAgent(proxy, options)
  return new (await import('https-proxy-agent')).HttpsProxyAgent(proxy, options)
}
