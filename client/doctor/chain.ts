import { randomBytes } from 'node:crypto'
import type { TlsOptions } from '../certificates.js'
import { Call } from './call.js'

/** The usual place of names; they may also live at the root. */
const PREFIX = '/api/v1/pipe'

export interface Target {
  /** Where names live, as the user gave it, without a query. */
  readonly url: URL
  /** With every request. */
  readonly headers: Readonly<Record<string, string>>
  /** Of pages that shall be able to use the gateway, as a browser writes it. */
  readonly origin?: string | undefined
  /** Which certificates are trusted, and which one is shown, where that is not as usual. */
  readonly tls?: TlsOptions
}

export interface RequestOptions {
  /** Which of `paths`; the first when absent. */
  readonly form?: number
  readonly query?: string
  readonly headers?: Readonly<Record<string, string | number>>
}

/** The way from here to the gateway, with whatever stands in between. */
export class Chain {
  /** What stands before a name, in every form of its address. The first has the health answer. */
  paths: readonly string[]
  /** Bytes of an upload are on the other side before it ends. */
  uploadsFlow = true
  /** The query of senders that have none of their own. */
  sendQuery = ''
  readonly #calls = new Set<Call>()
  readonly #names = `doctor-${randomBytes(8).toString('hex')}`

  constructor(readonly target: Target) {
    const given = target.url.pathname.replace(/\/+$/, '')
    const root = given.endsWith(PREFIX) ? given.slice(0, -PREFIX.length) : given
    this.paths = given === '' || root !== given ? [`${root}${PREFIX}/`, `${root}/`] : [`${given}/`]
  }

  /** A name that nobody else uses. */
  name(what: string): string {
    return `${this.#names}-${what}`
  }

  open(method: string, name: string, { form = 0, query = '', headers = {} }: RequestOptions = {}): Call {
    const url = new URL(`${this.paths[form % this.paths.length]}${name}${query}`, this.target.url)
    const call = new Call(url, method, { ...this.target.headers, ...headers }, this.target.tls)
    this.#calls.add(call)
    return call
  }

  receive(name: string, more: RequestOptions = {}): Call {
    return this.open('GET', name, more)
  }

  /** @param length of the body; undefined: it is chunked */
  send(
    name: string,
    length: number | undefined,
    { headers = {}, query = this.sendQuery, ...more }: RequestOptions = {},
  ): Call {
    const framing = length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': length }
    return this.open('PUT', name, { ...more, query, headers: { ...framing, ...headers } })
  }

  /** Leaves nothing behind, neither here nor there. */
  close(): void {
    for (const call of this.#calls) call.leave()
  }
}
