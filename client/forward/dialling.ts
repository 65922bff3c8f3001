import { framed } from './carry.js'
import type { Connections } from './connections.js'
import { dial, type Endpoint, inWords } from './endpoint.js'
import type { Line } from './link/line.js'
import type { Message } from './link/message.js'
import type { Side } from './side.js'
import type { WayChoice } from './ways/way-choice.js'

/** `--connect`: connects to a service for each connection that the other side announces. */
export class Dialling implements Side {
  readonly role = 'connect'
  readonly #stop = new AbortController()
  #line: Line | undefined

  constructor(
    readonly endpoint: Endpoint,
    readonly ways: WayChoice,
    readonly connections: Connections,
  ) {}

  async start(): Promise<void> {}

  line(line: Line | undefined): void {
    this.#line = line
  }

  heard(message: Message): void {
    if (message.type === 'open') void this.#open(message.id, message.way)
  }

  stop(): void {
    this.#stop.abort()
  }

  async #open(id: string, way: string | undefined): Promise<void> {
    const giveBack = this.connections.reserve()
    if (giveBack === undefined) {
      this.#refuse(id, this.connections.full)
      return
    }
    try {
      const socket = await dial(this.endpoint, this.#stop.signal)
      giveBack()
      void this.connections.carry(socket, framed(this.ways.of(way).open(id, this.role)), new Promise<never>(() => {}))
    } catch (error) {
      this.#refuse(id, `${inWords(this.endpoint)}: ${(error as Error).message}`)
    } finally {
      giveBack()
    }
  }

  #refuse(id: string, why: string): void {
    this.#line?.tell({ type: 'refused', id, why: why.slice(0, 300) })
    this.connections.refuse(undefined, why)
  }
}
