import { Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import { show } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'
import { type Answer, textAnswer } from '../../http/response/answer.js'
import { persistenceAfter } from '../../http/response/persistence.js'
import type { Exchange } from '../../router/exchange.js'

/** A name or an address, in brackets if it is IPv6, and perhaps a port: RFC 3986, section 3.2, without user and escapes. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i

/** Answers a request without TLS with its address over HTTPS. @param port of HTTPS */
export function redirect(exchange: Exchange, port: number): void {
  const { request, framing } = exchange
  const isMalformed = framing instanceof Refusal
  const answer = isMalformed ? framing : redirection(request, port)
  const after = isMalformed ? 'close' : persistenceAfter(framing)
  if (answer instanceof Refusal) exchange.refuse(answer, request.header('accept'), after)
  else exchange.answer(answer, after)
}

/** 308 keeps the method and the body, where 301 makes a GET of a POST. */
function redirection(request: RequestView, port: number): Answer | Refusal {
  const { path, query } = request
  const found = request.header('host')
  const host = HOST.exec(found)?.[1]
  if (host === undefined) return new Refusal(FAILURES.badHost, { found: show(found) })
  const target = query === '' ? path : `${path}?${query}`
  const location = `https://${host}${port === 443 ? '' : `:${port}`}${escaped(target)}`
  return textAnswer(308, `[ERROR] Only HTTPS here: use ${location} (curl follows with -L).\n`, [['Location', location]])
}

/** Percent-escapes what a header must not hold, and leaves everything else, escapes too, as it was written. */
function escaped(target: string): string {
  return target.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}
