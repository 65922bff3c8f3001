import { BlockList, isIP } from 'node:net'
import type { RequestView } from './request-view.js'

/**
 * Reads who is asking. Without trusted proxies that is the peer: anybody can write an `X-Forwarded-For`. With them it is the
 * last address in that header that is not a trusted proxy itself, since each proxy appends the one it was called by.
 * @param trustedProxies addresses and networks of proxies, with commas between them
 */
export function clientAddressReader(trustedProxies: string): (request: RequestView) => string {
  const isProxy = proxyTest(trustedProxies)
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
 * Reads what the client speaks. A trusted proxy says it in `X-Forwarded-Proto`; when it names several, the first is the
 * client's. From anybody else that header means nothing.
 * @param tls whether the gateway itself speaks TLS
 */
export function schemeReader(
  trustedProxies: string,
  tls: boolean,
): (request: Pick<RequestView, 'remoteAddress' | 'header'>) => 'http' | 'https' {
  const isProxy = proxyTest(trustedProxies)
  const own = tls ? 'https' : 'http'
  return (request) => {
    if (isProxy?.(request.remoteAddress) !== true) return own
    const [first = ''] = request.header('x-forwarded-proto').split(',')
    const said = first.trim().toLowerCase()
    return said === 'http' || said === 'https' ? said : own
  }
}

/** Whether an address is a trusted proxy's; undefined when there are none. */
export function proxyTest(trustedProxies: string): ((address: string) => boolean) | undefined {
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
 * Some proxies add a port, `192.0.2.1:443`, `[2001:db8::1]:443`, and one that listens on both kinds of addresses may say
 * `::ffff:192.0.2.1`. Undefined when it is no address; one with a zone is none that says who it is.
 */
function plainAddress(hop: string): string | undefined {
  const address = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(plain) === 0 || plain.includes('%') ? undefined : plain
}

/** Whether this can stand in the list: an address, or a network with the length of its prefix. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest !== undefined) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32))
}
