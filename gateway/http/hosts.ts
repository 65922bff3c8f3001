/** Which host names a gateway answers to. */
import { isIP } from 'node:net'
import type { RequestView } from './request-view.js'

type Head = Pick<RequestView, 'remoteAddress' | 'header'>

/** A name or an address, in brackets if it is IPv6, and perhaps a port: RFC 3986, section 3.2, without user and escapes. */
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{0,5})?$/i

/** As it is written, without the port; undefined when it is none. */
export function withoutPort(authority: string): string | undefined {
  return HOST.exec(authority)?.[1]
}

/** In lower case, without port and final dot; undefined when it is none. */
export function hostOf(authority: string): string | undefined {
  const host = withoutPort(authority)?.toLowerCase()
  return host?.endsWith('.') ? host.slice(0, -1) : host
}

/** A host as the setting `hosts` has it: a name, an address, `*.example.org` for all names below one, or `*` for all. */
export function isHostEntry(text: string): boolean {
  if (text === '*' || isIP(text) !== 0) return true
  return /^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(text) || (/^\[.*\]$/.test(text) && isIP(text.slice(1, -1)) === 6)
}

/** Whether this name or address means the machine itself, wherever it is asked. @param host as {@link hostOf} returns it */
export function isLoopbackHost(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]') return true
  return (host.startsWith('127.') && isIP(host) === 4) || host.startsWith('[::ffff:7f')
}

/** Whether who listens there is reached from this machine only. @param address as the setting `host` has it */
export function isLoopbackAddress(address: string): boolean {
  return isLoopbackHost(bracketed(address.toLowerCase()))
}

/**
 * The hosts that a gateway answers to. A page can make any name of its own mean 127.0.0.1, or an address of this network (DNS
 * rebinding): to a browser the gateway is then a part of the page's site, and nothing in the request tells but the name.
 */
export class HostRule {
  /** The gateway answers to every host. */
  readonly isOpen: boolean
  /** Somebody has said which hosts are this gateway's: it answers to no other, or is open only because that was asked for. */
  readonly isBounded: boolean
  readonly #names = new Set<string>()
  /** `.example.org` for all names that end so. */
  readonly #suffixes: string[] = []
  readonly #isProxy: ((address: string) => boolean) | undefined
  /** Nearly all requests have the same one. */
  #lastServed = ''

  /**
   * @param hosts entries of the setting `hosts`
   * @param address that it listens on. On one that others reach, every host is served unless `hosts` has any.
   * @param isProxy whether a peer is a trusted proxy; undefined when there are none
   */
  constructor(hosts: readonly string[], address: string, isProxy?: (address: string) => boolean) {
    this.isOpen = hosts.includes('*') || (hosts.length === 0 && !isLoopbackAddress(address))
    this.isBounded = hosts.length > 0 || !this.isOpen
    this.#isProxy = isProxy
    for (const each of [...hosts, address].map((host) => host.toLowerCase())) {
      if (each.startsWith('*.')) this.#suffixes.push(each.slice(1))
      else this.#names.add(bracketed(each))
    }
  }

  /**
   * The host that a request asks for, and that this gateway does not serve; undefined when all is well. Where a trusted proxy
   * tells what its client asked for, that counts as well as `Host`: a page that was rebound can write either.
   */
  unserved(request: Head): string | undefined {
    if (this.isOpen) return undefined
    const host = request.header('host')
    if (host !== this.#lastServed) {
      if (!this.#serves(host)) return host
      this.#lastServed = host
    }
    if (this.#isProxy === undefined) return undefined
    const forwarded = forwardedHost(request, this.#isProxy)
    return forwarded === '' || this.#serves(forwarded) ? undefined : forwarded
  }

  /** `Host`, or what a trusted proxy says that its client asked for: a host, and perhaps a port. */
  clientHost(request: Head): string {
    const forwarded = this.#isProxy === undefined ? '' : forwardedHost(request, this.#isProxy)
    return forwarded === '' ? request.header('host') : forwarded
  }

  /** Whether a request for this host is answered. */
  serves(authority: string): boolean {
    return this.isOpen || this.#serves(authority)
  }

  /** HTTP/1.0 knows no `Host`; what is no host at all has been refused before. */
  #serves(authority: string): boolean {
    if (authority === '') return true
    const host = hostOf(authority)
    if (host === undefined) return false
    return isLoopbackHost(host) || this.#names.has(host) || this.#suffixes.some((suffix) => host.endsWith(suffix))
  }
}

/** The first is what the client wrote. */
function forwardedHost(request: Head, isProxy: (address: string) => boolean): string {
  const hosts = request.header('x-forwarded-host')
  if (hosts === '' || !isProxy(request.remoteAddress)) return ''
  return hosts.split(',', 1)[0]!.trim()
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${canonical(host)}]` : host
}

/** One spelling of an IPv6 address, as browsers write it. */
function canonical(address: string): string {
  const url = `http://[${address}]`
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address
}
