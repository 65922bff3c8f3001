import type { HttpRequest, us_socket_context_t } from 'uWebSockets.js'

/** A client's request for a WebSocket. */
export interface WebSocketUpgrade {
  /** Its `Sec-WebSocket-Key`. */
  readonly key: string
  /** The subprotocols that it speaks. */
  readonly protocols: readonly string[]
  readonly context: us_socket_context_t
}

/** Sixteen bytes in Base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/

/** uWebSockets only looks for the key. A request with a body is not an upgrade. */
export function isWebSocketUpgrade(req: HttpRequest): boolean {
  return (
    req.getHeader('upgrade').toLowerCase() === 'websocket' &&
    req.getHeader('sec-websocket-version') === '13' &&
    KEY.test(req.getHeader('sec-websocket-key')) &&
    req.getHeader('content-length') === '' &&
    req.getHeader('transfer-encoding') === ''
  )
}

export function readWebSocketUpgrade(req: HttpRequest, context: us_socket_context_t): WebSocketUpgrade {
  const protocols = req.getHeader('sec-websocket-protocol').split(',')
  return {
    key: req.getHeader('sec-websocket-key'),
    protocols: protocols.map((each) => each.trim()).filter((each) => each !== ''),
    context,
  }
}
