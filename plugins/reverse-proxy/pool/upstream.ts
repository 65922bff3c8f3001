import { isIP } from 'node:net'
import { hash, type Node } from './rendezvous.js'

/** A server that requests are sent on to. */
export interface Upstream {
  /** `http://10.0.0.1:8080`, always with its port. */
  readonly url: string
  readonly protocol: 'http:' | 'https:'
  /** A name or an address, an IPv6 one without brackets. */
  readonly host: string
  readonly port: number
  /** What its certificate has to be for; undefined when an address was configured. */
  readonly serverName: string | undefined
}

/** By which it may call itself in its answers, in lower case: what it was asked as, and what it is. */
export function authoritiesOf({ url, serverName, port }: Upstream, host: string | string[] | undefined): string[] {
  const own = url.replace(/^https?:\/\//, '')
  const named = serverName === undefined ? [] : [serverName, `${serverName}:${port}`]
  return [`${host ?? ''}`.toLowerCase(), own, own.replace(/:(80|443)$/, ''), ...named]
}

/** An upstream as rendezvous hashing knows it: by `host:port`, so that no name moves when a port begins to speak TLS. */
export interface Target extends Upstream, Node {}

/** Reads `http://host:port` or `https://host:port`, with nothing behind it but a slash; undefined when it is none. */
export function readOrigin(text: string): URL | undefined {
  return /^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
}

/**
 * All spellings of an origin make one target: case, default port, a slash or a dot at its end, forms of an address.
 * @param address of the host, when its name was looked up
 */
export function targetOf(origin: URL, address?: string): Target {
  const protocol = origin.protocol as Upstream['protocol']
  const named = origin.hostname.replace(/^\[|\]$|\.$/g, '')
  const host = address ?? named
  const port = Number(origin.port || (protocol === 'https:' ? 443 : 80))
  const id = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const serverName = isIP(named) === 0 ? named : undefined
  return { url: `${protocol}//${id}`, protocol, host, port, serverName, id, hash: hash(id) }
}
