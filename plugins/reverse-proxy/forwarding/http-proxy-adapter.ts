import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { RequestHeaders } from '../headers/request-headers.js'

/** What http-proxy is given for a request of Node's own server, which this gateway has not: as much as it looks at. */
export interface ProxiedRequest {
  readonly method: string
  /** Path and query as they stand in the request line. */
  readonly url: string
  readonly headers: RequestHeaders
  /** Called with the request to the upstream, before anything of it is sent. */
  readonly send: (request: ClientRequest) => void
}

/** Never connected: http-proxy asks whether the client's is gone. */
const SOCKET = new Socket()

/** @returns the two arguments of `web()` */
export function proxyArguments({ method, url, headers, send }: ProxiedRequest): [IncomingMessage, ServerResponse] {
  const request = {
    method,
    url,
    headers,
    httpVersionMajor: 1,
    socket: SOCKET,
    connection: SOCKET,
    on: nothing,
    pipe: send,
  }
  const response = { on: nothing, headersSent: false, finished: false, writableFinished: false }
  return [request as unknown as IncomingMessage, response as unknown as ServerResponse]
}

/** Its events are told by the gateway: see `Context.onOver`. */
function nothing(): void {}
