import type { HttpExchange } from '../connection/http-exchange.js'
import { ChunkedBody } from './chunked-body.js'
import { FixedLengthBody } from './fixed-length-body.js'
import type { ResponseBody } from './response-body.js'

/** The body of an exchange's response, in the framing that its length asks for. `head` writes status line and headers. */
export function openResponseBody(exchange: HttpExchange, length: number | undefined, head: () => void): ResponseBody {
  const { res, socket, context } = exchange
  const target = { res, socket, sockets: context.sockets, tls: context.tls, head }
  return length === undefined ? new ChunkedBody(target) : new FixedLengthBody(target, length)
}
