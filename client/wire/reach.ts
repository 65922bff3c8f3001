import { readFileSync } from 'node:fs'
import http, { type Agent } from 'node:http'
import https from 'node:https'
import { rootCertificates } from 'node:tls'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { getProxyForUrl } from 'proxy-from-env'
import { WrongUsage } from './request-headers.js'

/** The way to a server: straight, or by the proxy that the environment names; with the certificates that are trusted. */
export interface Reach {
  readonly agent: Agent
  /** `https://proxy.example:3128`, for people; undefined when it is straight. */
  readonly proxy: string | undefined
}

/**
 * By `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case, as curl reads them.
 * @param url of the server
 * @param caFile certificates to trust besides those that Node trusts, PEM
 * @throws WrongUsage
 */
export function reach(url: URL, caFile: string | undefined): Reach {
  const ca = caFile === undefined ? {} : { ca: [...rootCertificates, read(caFile)] }
  // Kept, so that waiting in short turns does not shake hands at each of them.
  const options = { keepAlive: true, maxSockets: 8, ...ca }
  const proxy = getProxyForUrl(url.href)
  const isSecure = url.protocol === 'https:'
  if (proxy === '') return { agent: isSecure ? new https.Agent(options) : new http.Agent(options), proxy: undefined }
  if (!URL.canParse(proxy) || !/^https?:$/.test(new URL(proxy).protocol)) {
    throw new WrongUsage('the proxy that the environment names is no address such as http://HOST:PORT')
  }
  const agent = isSecure ? new HttpsProxyAgent(proxy, options) : new HttpProxyAgent(proxy, options)
  return { agent, proxy: new URL(proxy).origin }
}

function read(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8')
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  } catch (error) {
    throw new WrongUsage(`--cacert: the file cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  throw new WrongUsage('--cacert: the file has no certificate in PEM')
}
