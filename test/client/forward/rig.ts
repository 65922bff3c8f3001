/** `pipegate forward` as people run it: a gateway, two forwards and a service, each a program of its own. */

import { createServer as createHttpServer } from 'node:http'
import { createRequire } from 'node:module'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import { endOnlyAtAnEnd } from '../../../client/forward/honest-end.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { Cli } from '../transfer/rig.js'

export interface PairOptions {
  /** The gateway. */
  readonly server: string
  /** What `--connect` says. */
  readonly target: string
  /** What `--listen` says. */
  readonly listen?: string
  readonly name?: string
  /** Flags for both. */
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Pair {
  readonly listener: Forward
  readonly connector: Forward
  /** Where programs connect to. */
  readonly port: number
}

/** One side, and what it has said so far. */
export class Forward extends Cli {
  constructor(t: Test, args: readonly string[], { server, env = {} }: Pick<PairOptions, 'server' | 'env'>) {
    super(t, ['forward', '--json', ...args], { server, cwd: t.testdir(), env })
  }

  /** Its lines of this event. */
  news(event: string): Array<Readonly<Record<string, unknown>>> {
    const lines = this.text.split('\n').filter((line) => line.startsWith('{'))
    return lines.map((line) => JSON.parse(line)).filter((line) => line.event === event)
  }

  /** Waits for the `count`-th line of this event. */
  async tells(event: string, count = 1): Promise<Readonly<Record<string, unknown>>> {
    await this.says(new RegExp(`(?:"event":"${event}"[^]*?){${count}}\n`))
    return this.news(event)[count - 1]!
  }

  async port(): Promise<number> {
    const { at } = await this.tells('listening')
    return Number(/:(\d+)$/.exec(String(at))?.[1])
  }
}

/** Both sides, when they have met. */
export async function startPair(t: Test, options: PairOptions): Promise<Pair> {
  const { target, listen = '0', name = 'x', flags = [] } = options
  const connector = new Forward(t, ['--connect', target, name, ...flags], options)
  const listener = new Forward(t, ['--listen', listen, name, ...flags], options)
  await Promise.all([connector.tells('way'), listener.tells('way')])
  return { listener, connector, port: listen.startsWith('unix:') ? 0 : await listener.port() }
}

/** A TCP service of the test. Its connections are closed when the test ends. */
export async function startService(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    onSocket(socket)
  })
  closeWith(t, server, sockets)
  return listenOnLoopback(server)
}

function closeWith(t: Test, server: Server, sockets: ReadonlySet<Socket>): void {
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
}

/** What a connection has read, and how it ended: `end` by the other side, `cut` by a reset. */
export class Peer {
  readonly chunks: Buffer[] = []
  bytes = 0
  over: 'end' | 'cut' | undefined
  readonly ended: Promise<'end' | 'cut'>

  constructor(readonly socket: Socket) {
    if (socket.connecting) socket.once('connect', () => endOnlyAtAnEnd(socket))
    else endOnlyAtAnEnd(socket)
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
      this.bytes += chunk.length
    })
    this.ended = new Promise((resolve) => {
      const over = (how: 'end' | 'cut') => {
        this.over ??= how
        resolve(this.over)
      }
      // An error of a write may come behind the end that it is the reason for.
      socket.once('end', () => setImmediate(over, 'end')).once('error', () => over('cut'))
      // Closed without a sign that it was, which a program would take for a cut too.
      socket.once('close', () => setImmediate(over, 'cut'))
    })
  }

  get read(): Buffer {
    return Buffer.concat(this.chunks)
  }
}

/** Connects to a forward; the connection is closed when the test ends. */
export function client(t: Test, to: number | string): Peer {
  const at = typeof to === 'number' ? { port: to, host: '127.0.0.1' } : { path: to }
  const socket = connect({ ...at, allowHalfOpen: true, noDelay: true })
  t.teardown(() => void socket.destroy())
  return new Peer(socket)
}

/** A Piping Server, which has pipes and nothing else. */
export async function startPipingServer(t: Test): Promise<string> {
  const { Server } = createRequire(import.meta.url)('piping-server')
  const handle = new Server({}).generateHandler(false)
  const piping = createHttpServer((request, response) => {
    // A receiver that goes is told to a sender whose answer is over already: Node reports that as an error of that answer.
    response.on('error', () => {})
    handle(request, response)
  })
  // What it promises itself.
  piping.requestTimeout = 0
  const port = await listenOnLoopback(piping)
  t.teardown(() => {
    piping.closeAllConnections()
    piping.close()
  })
  return `http://127.0.0.1:${port}`
}
