import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Address } from './address.js'
import { ConnectionLost, reasonOf, refusal } from './failures.js'
import type { Reach } from './reach.js'

/** A name on a server, and who asks. */
export interface Place {
  readonly address: Address
  readonly reach: Reach
  /** Besides those that every request has: who asks, and what its user said. */
  readonly headers: Readonly<Record<string, string>>
}

export interface RequestOptions {
  readonly method: 'GET' | 'HEAD' | 'PUT'
  /** Parameters of the address, as they stand there: `sha256&n=2`. */
  readonly mode: string
  readonly headers?: Readonly<Record<string, string | number>>
  readonly signal: AbortSignal
  /** Makes a connection for this request alone. */
  readonly createConnection?: (options: object) => Socket
}

/** So long a server may take to accept a connection, in milliseconds. */
const CONNECT_MS = 20_000

/** Begins a request. Its head leaves at once; the body, if it has one, is the caller's. */
export function send(place: Place, options: RequestOptions): ClientRequest {
  const { method, mode, headers, signal, createConnection } = options
  const { address, reach } = place
  const { agent, tls, isSecure, forward } = reach
  const { hostname, port } = address.server
  const target = address.target(mode)
  const host = `${hostname.includes(':') ? `[${hostname}]` : hostname}${port === undefined ? '' : `:${port}`}`
  const { request } = isSecure ? https : http
  const outgoing = request({
    ...(forward === undefined ? address.server : { hostname: forward.hostname, port: forward.port }),
    method,
    path: forward === undefined ? target : `http://${host}${target}`,
    headers: { 'user-agent': 'pipegate', host, ...forward?.headers, ...headers, ...place.headers },
    ...(createConnection === undefined ? { agent } : { createConnection }),
    ...tls,
    signal,
  })
  outgoing.once('socket', (socket) => {
    socket.setNoDelay(true)
    if (!socket.connecting) return
    const timer = setTimeout(() => outgoing.destroy(new ConnectionLost('the server cannot be reached')), CONNECT_MS)
    const done = () => clearTimeout(timer)
    socket.once('connect', done).once('close', done)
  })
  if (method === 'PUT') outgoing.flushHeaders()
  else outgoing.end()
  return outgoing
}

/** @throws ConnectionLost */
export function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // It stays: an error after the response is one of the response too, and must not be nobody's.
    outgoing.on('error', (error) => reject(lost(error))).once('response', resolve)
  })
}

/** The whole of a small answer, as text. @throws ConnectionLost, RequestRefused when it is no 200 */
export async function ask(place: Place, options: RequestOptions, mostBytes: number): Promise<string> {
  const outgoing = send(place, options)
  try {
    const response = await responseTo(outgoing)
    if (response.statusCode !== 200) throw await refusal(response, '')
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of response) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > mostBytes) throw new ConnectionLost('the server sent an answer that is too long')
    }
    return Buffer.concat(chunks).toString()
  } catch (error) {
    outgoing.destroy()
    throw lost(error as Error)
  }
}

/** An error of the connection in words; any other one as it is. */
export function lost(error: Error): Error {
  return typeof (error as NodeJS.ErrnoException).code === 'string' ? new ConnectionLost(reasonOf(error)) : error
}
