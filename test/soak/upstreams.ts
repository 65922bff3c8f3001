/** Servers behind the gateway: ones that send and check tapes, and lie when they are told to, and one that echoes WebSockets. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { bodyOf, differsAt } from '../support/tape.js'
import type { Teardown } from '../support/teardown.js'

/** Ways to lie about an answer that a client has to notice, or has to be kept from noticing. */
export const LIES = [
  'too few bytes',
  'broken chunks',
  'no head',
  'close at once',
  'no answer',
  'too many bytes',
  'slow',
] as const
export type Lie = (typeof LIES)[number]

/** `/tape/SEED/BYTES` is answered with that tape; a body that is sent there is compared with it. */
export class TapeServers {
  /** The lie that is told now. */
  lie: Lie | undefined
  readonly #servers: Server[] = []

  /** Listens on one port of several addresses, so that a name can mean any of them. */
  static async start(t: Teardown, hosts: readonly string[]): Promise<{ servers: TapeServers; port: number }> {
    const servers = new TapeServers()
    let port = 0
    for (const host of hosts) {
      const server = createServer((request, response) => void servers.#answer(request, response))
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, host, resolve)
      })
      port = (server.address() as AddressInfo).port
      servers.#servers.push(server)
      t.teardown(() => {
        server.closeAllConnections()
        server.close()
      })
    }
    return { servers, port }
  }

  /** Ends connections that are kept and unused. */
  closeIdle(): void {
    for (const server of this.#servers) server.closeIdleConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {})
    const [, , seed = '0', bytes = '0'] = new URL(request.url ?? '/', 'http://x').pathname.split('/')
    const body = bodyOf(Number(seed), Number(bytes))
    if (request.method !== 'GET') {
      const verdict = await compare(request, body)
      response.end(verdict)
    } else if (this.lie !== undefined) await tellLie(this.lie, response, body)
    else response.writeHead(200, { 'Content-Length': body.length }).end(body)
  }
}

async function compare(request: IncomingMessage, body: Buffer): Promise<string> {
  let at = 0
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      const wrong = differsAt(body, piece, at)
      if (wrong !== undefined) return `wrong at ${wrong}`
      at += piece.length
    }
  } catch {
    return 'cut'
  }
  return at === body.length ? `all ${at}` : `only ${at}`
}

async function tellLie(lie: Lie, response: ServerResponse, body: Buffer): Promise<void> {
  const socket = response.socket as Socket
  const half = body.subarray(0, body.length >> 1)
  const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`
  if (lie === 'slow') {
    response.writeHead(200, { 'Content-Length': body.length })
    for (let at = 0; at < body.length && !response.destroyed; at += 100_000) {
      response.write(body.subarray(at, at + 100_000))
      await sleep(30)
    }
    response.end()
  } else if (lie === 'no answer') await sleep(4000).then(() => socket.destroy())
  else if (lie === 'close at once') socket.destroy()
  else if (lie === 'no head') socket.end('SMTP ready\r\n\r\n')
  else if (lie === 'broken chunks')
    socket.end(Buffer.concat([Buffer.from(`${head('Transfer-Encoding: chunked')}zz\r\n`), half]))
  else if (lie === 'too few bytes')
    socket.end(Buffer.concat([Buffer.from(head(`Content-Length: ${body.length}`)), half]))
  else socket.end(Buffer.concat([Buffer.from(head(`Content-Length: ${body.length}`)), body, Buffer.from('and more')]))
}

/** Sends back every message. Returns its port. */
export async function startEcho(t: Teardown): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await new Promise<void>((resolve) => server.once('listening', resolve))
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }))
  })
  t.teardown(() => {
    for (const each of server.clients) each.terminate()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
