/** A server that answers byte for byte what a test wants: what no server that is right would say. */

import { createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listenOnLoopback } from '../../support/loopback.js'

export interface ScriptedServer {
  readonly origin: string
  readonly port: number
  /** The heads of the requests that have come. */
  readonly heads: string[]
}

export type Answer = (socket: Socket, head: string) => void

/**
 * @param answer what follows on a GET or PUT
 * @param tells whether a HEAD, the question for the status, finds that there is one; then `answer` has to give it
 */
export async function startScripted(t: Test, answer: Answer, tells = false): Promise<ScriptedServer> {
  const open = new Set<Socket>()
  const heads: string[] = []
  const server = createServer((socket) => {
    open.add(socket)
    let text = ''
    socket
      .on('error', () => {})
      .on('close', () => open.delete(socket))
      .on('data', (chunk) => {
        text += chunk.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = text.slice(0, end)
        text = ''
        if (!/^(GET|PUT|HEAD) /.test(head)) return
        heads.push(head)
        if (head.startsWith('HEAD '))
          socket.write(`HTTP/1.1 ${tells ? 200 : 405} X\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n`)
        else answer(socket, head)
      })
  })
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { origin: `http://127.0.0.1:${port}`, port, heads }
}

/** An answer with this head and this body, and nothing about its length but what the head says. @param body Latin-1 */
export function says(head: readonly string[], body = ''): Answer {
  return (socket) => {
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    socket.write(body, 'latin1')
  }
}

/** A stream as a sender of pipegate describes it. */
export function stream(description: string, body: string, more: readonly string[] = []): Answer {
  return says(['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, `X-Piping: pipegate ${description}`, ...more], body)
}
