import type { HeaderList } from '../../../gateway/host/plugin-api.js'
import { claimsOrigin, nameAsVariable } from './claimed-origin.js'
import { connectionOptions, HOP_BY_HOP } from './hop-by-hop.js'

/** What this gateway knows of where a request comes from. */
export interface Origin {
  /** Of the peer. */
  readonly remoteAddress: string
  readonly scheme: 'http' | 'https'
  /** The peer is a trusted proxy: what it says of where the request comes from is kept, and added to. */
  readonly isTrusted: boolean
}

/** The headers of a request to an upstream, by name in lower case. */
export type RequestHeaders = Record<string, string | string[]>

/** What the gateway says itself, after those that a trusted proxy has said it to. */
const SAID = new Set(['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'])

/** Never passed on as they came: the gateway has dealt with the expectation, and with where the body ends. */
const OWN = new Set(['expect', 'content-length', 'http2-settings'])

/** Gates and routes have looked at these. */
const SENSITIVE = new Set(['host', 'authorization', 'cookie', 'cdn-loop'])

/** What of the client's request is the upstream's business. */
export function requestHeaders(lines: HeaderList, origin: Origin): RequestHeaders {
  let connection = ''
  for (const [name, value] of lines) if (name === 'connection') connection += `,${value}`
  const dropped = connectionOptions(connection)
  // Without a prototype: a header may be called `constructor`.
  const headers: RequestHeaders = Object.create(null)
  const came: RequestHeaders = Object.create(null)
  for (const [name, value] of lines) {
    if (HOP_BY_HOP.has(name) || OWN.has(name) || (dropped.has(name) && name !== 'host') || isDisguised(name)) continue
    if (claimsOrigin(name) && !origin.isTrusted) continue
    add(SAID.has(name) ? came : headers, name, value)
  }
  sayOrigin(headers, came, origin)
  return headers
}

/** Some upstreams would take it for a header that the gateway has dealt with. */
function isDisguised(name: string): boolean {
  const seen = nameAsVariable(name)
  if (seen === undefined) return false
  return HOP_BY_HOP.has(seen) || OWN.has(seen) || claimsOrigin(seen) || SENSITIVE.has(seen)
}

/** Lines with one name stay apart: some fields cannot be joined. A cookie is one line: RFC 9113, section 8.2.3. */
function add(headers: RequestHeaders, name: string, value: string): void {
  const before = headers[name]
  if (before === undefined) headers[name] = value
  else if (name === 'host') return
  else if (name === 'cookie') headers[name] = `${before}; ${value}`
  else if (typeof before === 'string') headers[name] = [before, value]
  else before.push(value)
}

/** `X-Forwarded-*`, and the same as RFC 7239 has it. */
function sayOrigin(headers: RequestHeaders, came: RequestHeaders, origin: Origin): void {
  const { remoteAddress, scheme } = origin
  const host = one(headers.host)
  headers['x-forwarded-for'] = joined(came['x-forwarded-for'], remoteAddress)
  headers['x-forwarded-proto'] = scheme
  if (host !== '' || came['x-forwarded-host'] !== undefined)
    headers['x-forwarded-host'] = came['x-forwarded-host'] ?? host
  headers['x-forwarded-port'] = came['x-forwarded-port'] ?? portOf(host, scheme)
  const node = remoteAddress.includes(':') ? `"[${remoteAddress}]"` : remoteAddress
  const hop = `for=${node};proto=${scheme}${host === '' ? '' : `;host=${quoted(host)}`}`
  headers.forwarded = joined(came.forwarded, hop)
}

/** Says what was left out of the front of the path, behind what a trusted proxy has left out before. */
export function sayPrefix(headers: RequestHeaders, prefix: string): void {
  headers['x-forwarded-prefix'] = one(headers['x-forwarded-prefix']).replace(/\/$/, '') + prefix
}

function one(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '')
}

function joined(before: string | string[] | undefined, last: string): string {
  return before === undefined ? last : `${typeof before === 'string' ? before : before.join(', ')}, ${last}`
}

function portOf(host: string, scheme: 'http' | 'https'): string {
  return /:(\d{1,5})$/.exec(host)?.[1] ?? (scheme === 'https' ? '443' : '80')
}

function quoted(host: string): string {
  return /^[\w.-]+$/.test(host) ? host : `"${host.replace(/["\\]/g, '\\$&')}"`
}
