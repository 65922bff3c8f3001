/** A TCP proxy on the way to a server, which a test lets do what bad networks and proxies do. */

import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { reset } from '../../../client/forward/reset.js'
import { listenOnLoopback } from '../../support/loopback.js'

export interface Middleman {
  readonly origin: string
  /** How many connections have come. */
  readonly connections: number
  /** What is done with what the server sends, from now on. */
  change: (chunk: Buffer) => Buffer
  /** Once so many bytes of the server have been handed on, no more are: in all. */
  stopAfter: number
  /** Cuts all connections that are open. */
  cut(): void
}

export interface MiddlemanOptions {
  /** Cuts a connection on which nothing has gone to and fro for so long, in milliseconds. */
  readonly silenceMs?: number
}

export async function startMiddleman(
  t: Test,
  port: number,
  { silenceMs = 0 }: MiddlemanOptions = {},
): Promise<Middleman> {
  const open = new Set<Socket>()
  let connections = 0
  let handed = 0
  const server = createServer((client) => {
    connections++
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.setNoDelay(true)
      socket
        .on('error', () => {})
        .on('close', () => {
          open.delete(socket)
          client.destroy()
          upstream.destroy()
        })
      if (silenceMs > 0) socket.setTimeout(silenceMs, () => reset(socket))
    }
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      handed += chunk.length
      if (handed >= middleman.stopAfter) {
        client.write(middleman.change(chunk.subarray(0, Math.max(0, chunk.length - (handed - middleman.stopAfter)))))
        upstream.pause()
        return
      }
      if (client.write(middleman.change(chunk))) return
      upstream.pause()
      client.once('drain', () => upstream.resume())
    })
    upstream.on('end', () => client.end())
  })
  const own = await listenOnLoopback(server)
  t.teardown(() => {
    middleman.cut()
    server.close()
  })
  const middleman: Middleman = {
    origin: `http://127.0.0.1:${own}`,
    get connections() {
      return connections
    },
    change: (chunk) => chunk,
    stopAfter: Number.POSITIVE_INFINITY,
    cut() {
      middleman.stopAfter = Number.POSITIVE_INFINITY
      for (const socket of open) reset(socket)
    },
  }
  return middleman
}
