import { isIP } from 'node:net'
import { Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import { hostOf, isLoopbackHost, withoutPort } from '../../http/hosts.js'
import { show } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'
import { type Answer, textAnswer } from '../../http/response/answer.js'
import { persistenceAfter } from '../../http/response/persistence.js'
import type { Exchange } from '../../router/exchange.js'

/** Where HTTPS is. */
export interface RedirectTarget {
  readonly port: number
  /** The host that a request asks for, when it is none of this gateway's. */
  unserved(request: RequestView): string | undefined
}

/** Answers a request without TLS with its address over HTTPS. */
export function redirect(exchange: Exchange, target: RedirectTarget): void {
  const { request, framing } = exchange
  const isMalformed = framing instanceof Refusal
  const answer = isMalformed ? framing : redirection(request, target)
  const after = isMalformed ? 'close' : persistenceAfter(framing)
  if (answer instanceof Refusal) exchange.refuse(answer, request.header('accept'), after)
  else exchange.answer(answer, after)
}

/** 308 keeps the method and the body, where 301 makes a GET of a POST. */
function redirection(request: RequestView, { port, unserved }: RedirectTarget): Answer | Refusal {
  const { path, query } = request
  const found = request.header('host')
  const host = withoutPort(found)
  if (host === undefined) return new Refusal(FAILURES.badHost, { found: show(found) })
  const foreign = unserved(request)
  if (foreign !== undefined) return new Refusal(FAILURES.unknownHost, { found: show(foreign) })
  const target = query === '' ? path : `${path}?${query}`
  const location = `https://${host}${port === 443 ? '' : `:${port}`}${escaped(target)}`
  return textAnswer(308, `[ERROR] Only HTTPS here: use ${location} (curl follows with -L).\n`, [['Location', location]])
}

/** Percent-escapes what a header must not hold, and leaves everything else, escapes too, as it was written. */
function escaped(target: string): string {
  return target.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}

/**
 * Where every host is served, there still is no HTTPS but for the names in the certificates, and for addresses.
 * @param names of certificates, in lower case; `*.` stands for one label
 */
export function uncertified(request: RequestView, names: readonly string[]): string | undefined {
  const found = request.header('host')
  const host = hostOf(found) ?? ''
  const isKnown = host.startsWith('[') || isIP(host) !== 0 || isLoopbackHost(host)
  return isKnown || names.includes(host) || names.includes(host.replace(/^[^.]+/, '*')) ? undefined : found
}
