import { Refusal } from '../../core/index.js'
import type { RequestContext } from '../host/request-context.js'
import type { Framing } from '../http/framing.js'
import type { Answer } from '../http/response/answer.js'
import { persistenceAfter } from '../http/response/persistence.js'
import type { Exchange } from './exchange.js'

/** A request on its way through the router. */
export interface Incoming {
  readonly exchange: Exchange
  readonly framing: Framing
  /** The request as plugins see it. Null when no plugins are loaded. */
  readonly context: RequestContext | null
}

/** What the client is answered at once; undefined when the request has been taken over. */
export type Outcome = Answer | Refusal | undefined

/** @param accept the client's `Accept` header */
export function respond(exchange: Exchange, response: Answer | Refusal, accept: string, framing: Framing): void {
  if (response instanceof Refusal) exchange.refuse(response, accept, persistenceAfter(framing))
  else exchange.answer(response, persistenceAfter(framing))
}
