import { BlockList, isIP } from 'node:net'
import type { RequestView } from './request-view.js'

/**
 * Returns a function that finds the address of a request's client. Without trusted proxies it is the peer, because
 * anybody can write an `X-Forwarded-For`. With them it is the last address in that header that is not a trusted proxy
 * itself, because each proxy appends the address of its own peer.
 * @param trustedProxies addresses and networks of proxies, separated by commas
 */
export function clientAddressReader(trustedProxies: string): (request: RequestView) => string {
  const isProxy = trustedProxyTest(trustedProxies)
  if (isProxy === undefined) return (request) => request.remoteAddress
  return (request) => {
    let client = request.remoteAddress
    if (!isProxy(client)) return client
    const hops: string[] = []
    request.eachHeader((name, value) => {
      if (name === 'x-forwarded-for') hops.push(...value.split(','))
    })
    for (const hop of hops.reverse()) {
      const address = plainAddress(hop.trim())
      if (address === undefined) return client
      client = address
      if (!isProxy(client)) return client
    }
    return client
  }
}

/**
 * Returns a function that finds the scheme that a request's client uses. A trusted proxy gives it in
 * `X-Forwarded-Proto`; if there are several, the first is the client's. From anybody else that header is ignored.
 * @param tls whether the gateway itself speaks TLS
 */
export function schemeReader(
  trustedProxies: string,
  tls: boolean,
): (request: Pick<RequestView, 'remoteAddress' | 'header'>) => 'http' | 'https' {
  const isProxy = trustedProxyTest(trustedProxies)
  const own = tls ? 'https' : 'http'
  return (request) => {
    if (isProxy?.(request.remoteAddress) !== true) return own
    const [first = ''] = request.header('x-forwarded-proto').split(',')
    const scheme = first.trim().toLowerCase()
    return scheme === 'http' || scheme === 'https' ? scheme : own
  }
}

/** Tells whether an address belongs to a trusted proxy; undefined when there are none. */
export function trustedProxyTest(trustedProxies: string): ((address: string) => boolean) | undefined {
  const trusted = trustedProxies.split(',').flatMap((each) => each.trim() || [])
  if (trusted.length === 0) return undefined
  const proxies = new BlockList()
  for (const each of trusted) {
    const [address = '', bits] = each.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    proxies.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return (address) => proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/**
 * An address as a proxy wrote it, in its plain form. Some proxies add a port, `192.0.2.1:443`, `[2001:db8::1]:443`, and
 * one with a dual-stack socket may write `::ffff:192.0.2.1`. Undefined when it is no address, or one with a zone, which
 * identifies nobody.
 */
function plainAddress(hop: string): string | undefined {
  const address = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(plain) === 0 || plain.includes('%') ? undefined : plain
}

/** Whether this is a valid entry of the list: an address, or a network with its prefix length. */
export function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest !== undefined) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32))
}
