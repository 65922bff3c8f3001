/** Both ends of a WebSocket that goes through a gateway: the client and the server of `ws`. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../../support/eventually.js'
import type { Running } from '../../support/gateway.js'

export interface Service {
  readonly url: string
  /** The last that was accepted, and the request that asked for it. */
  socket: WebSocket | undefined
  request: IncomingMessage | undefined
  /** How many have been accepted so far. */
  accepted: number
  /** All that are open. */
  readonly all: ReadonlySet<WebSocket>
}

/** Accepts everybody, unless the path is `/refused`. */
export async function startService(t: Test, files?: { cert: string; key: string }): Promise<Service> {
  const pem = files && { cert: readFileSync(files.cert), key: readFileSync(files.key) }
  const server = pem === undefined ? createServer() : createHttpsServer(pem)
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (all) => [...all].at(-1) ?? false })
  sockets.on('headers', (lines) => lines.push('Set-Cookie: a=1', 'Set-Cookie: b=2'))
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\nX-Why: rule 7\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot here\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      service.socket = accepted
      service.accepted++
      service.request = request
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const each of sockets.clients) each.terminate()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const service: Service = {
    url: `${pem === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    socket: undefined,
    request: undefined,
    accepted: 0,
    all: sockets.clients,
  }
  return service
}

export function open(
  t: Test,
  gw: Pick<Running, 'origin'>,
  path: string,
  protocols: string[] = [],
  headers: Record<string, string> = {},
): WebSocket {
  const socket = new WebSocket(gw.origin.replace('http', 'ws') + path, protocols, {
    headers,
    rejectUnauthorized: false,
  })
  t.teardown(() => socket.terminate())
  socket.on('error', () => {})
  return socket
}

/** What one hears: messages as text, with a mark for those of bytes, pings, and the end. */
export function heard(socket: WebSocket): string[] {
  const all: string[] = []
  socket.on('message', (data, isBinary) => all.push(`${isBinary ? 'bytes ' : ''}${data}`))
  socket.on('ping', (data) => all.push(`ping ${data}`))
  socket.on('close', (code, reason) => all.push(`closed ${code} ${reason}`.trim()))
  return all
}

export const tells = (all: readonly string[], wanted: string) =>
  eventually(() => all.includes(wanted) || `heard ${JSON.stringify(all).slice(0, 300)}, not ${wanted}`)

/** The same frame many times over, as a client masks it: with zeros. @param bytes at most 125 of them, zeros too */
export function frames(opcode: number, bytes: number, count: number): Buffer {
  const frame = Buffer.alloc(6 + bytes)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | bytes
  return Buffer.alloc(frame.length * count, frame)
}
