import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { framed } from './carry.js'
import type { Connections } from './connections.js'
import { type Endpoint, listenOn } from './endpoint.js'
import type { Line } from './link/line.js'
import type { Message } from './link/message.js'
import type { News } from './news.js'
import type { Side } from './side.js'
import type { WayChoice } from './ways/way-choice.js'

/** So long a connection waits for the other side of the forward, in milliseconds. */
const PATIENCE_MS = 10_000

/** `--listen`: accepts connections, and announces each to the other side. */
export class Accepting implements Side {
  readonly role = 'listen'
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    // A defect of ours must not be nobody's.
    void this.#accept(socket)
  })
  #line: Line | undefined
  readonly #lineWaiters = new Set<() => void>()
  /** What is announced, by its id: how it is refused. */
  readonly #announced = new Map<string, (why: Error) => void>()

  constructor(
    readonly endpoint: Endpoint,
    readonly ways: WayChoice,
    readonly connections: Connections,
    readonly on: (news: News) => void,
  ) {}

  async start(): Promise<void> {
    this.on({ event: 'listening', at: await listenOn(this.#server, this.endpoint) })
  }

  line(line: Line | undefined): void {
    this.#line = line
    if (line === undefined) return
    for (const go of this.#lineWaiters) go()
    this.#lineWaiters.clear()
  }

  heard(message: Message): void {
    if (message.type === 'refused') this.#announced.get(message.id)?.(new Error(message.why))
  }

  stop(): void {
    this.#server.close()
    for (const go of this.#lineWaiters) go()
  }

  async #accept(socket: Socket): Promise<void> {
    socket.on('error', () => {})
    const giveBack = this.connections.reserve()
    if (giveBack === undefined) {
      this.connections.refuse(socket, this.connections.full)
      return
    }
    try {
      const line = this.#line ?? (await this.#waitForLine())
      if (line === undefined) {
        this.connections.refuse(socket, 'the other side is not there')
        return
      }
      if (socket.destroyed) return
      const id = randomBytes(16).toString('base64url')
      const refused = new Promise<never>((_, reject) => this.#announced.set(id, reject))
      const transport = this.ways.best
      const way = transport.open(id, this.role)
      line.tell({ type: 'open', id, way: transport.name })
      giveBack()
      await this.connections.carry(socket, framed(way), refused).finally(() => this.#announced.delete(id))
    } finally {
      giveBack()
    }
  }

  async #waitForLine(): Promise<Line | undefined> {
    let late: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#lineWaiters.add(resolve)
      late = setTimeout(() => {
        this.#lineWaiters.delete(resolve)
        resolve()
      }, PATIENCE_MS)
    })
    clearTimeout(late)
    return this.#line
  }
}
