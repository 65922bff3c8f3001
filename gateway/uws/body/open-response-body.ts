import type { HttpExchange } from '../connection/http-exchange.js'
import { BareBody } from './bare-body.js'
import { ChunkedBody } from './chunked-body.js'
import { FixedLengthBody } from './fixed-length-body.js'
import type { ResponseBody } from './response-body.js'

/** Whether a response with this status has no body, whatever its sender thinks (RFC 9110, sections 15.3.5 and 15.4.5). */
export function isBare(status: number): boolean {
  return status === 204 || status === 304
}

/**
 * The body of an exchange's response, in the framing that its length asks for.
 * @param head writes status line and headers
 * @param headAtOnce the head leaves before the body has a byte, where that can be had
 */
export function openResponseBody(
  exchange: HttpExchange,
  status: number,
  length: number | undefined,
  head: () => void,
  headAtOnce = false,
): ResponseBody {
  const { res, socket, context } = exchange
  const { sockets, tls } = context
  const canEndHead = headAtOnce && exchange.head.isReadByHelper && !exchange.head.isHttp10
  const target = { res, socket, sockets, tls, head, endHead: canEndHead ? () => sockets.endHead(socket) : undefined }
  if (isBare(status)) return new BareBody(target)
  return length === undefined ? new ChunkedBody(target) : new FixedLengthBody(target, length)
}
