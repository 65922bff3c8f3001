/** Which methods an address takes, and the answers that say so. */

import { FAILURES } from '../http/failures.js'
import { show } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'
import type { Answer } from '../http/response/answer.js'
import { RefusalWithHeaders } from '../http/response/failure-answer.js'

export const NAME_METHODS = 'GET, POST, PUT, OPTIONS'
export const ANSWER_METHODS = 'POST, PUT'
export const PEER_METHODS = 'POST, PUT'
export const WEBSOCKET_METHODS = 'GET'
export const RESERVED_METHODS = 'GET, HEAD, OPTIONS'

/** Methods that change nothing: RFC 9110 section 9.2.1. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether the request is an upload. */
export function isUpload({ method }: RequestView): boolean {
  return method === 'PUT' || method === 'POST'
}

/** The answer to OPTIONS. */
export function allow(methods: string): Answer {
  return { status: 204, headers: [['Allow', methods]], body: '' }
}

export function methodNotAllowed(request: RequestView, methods: string): RefusalWithHeaders {
  const values = { found: show(request.method), allow: methods }
  return new RefusalWithHeaders(FAILURES.methodNotAllowed, values, [['Allow', methods]])
}
