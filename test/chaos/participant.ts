/** What sender and receiver have in common: a connection, the response that comes over it, and a diary. */

import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.js'
import { connectPeer, type Peer, type Way } from '../support/peer.js'
import { ResponseReader } from '../support/response-reader.js'

/** What happened in one transfer, in order, for whoever has to find out why it failed. */
export class Diary {
  readonly lines: string[] = []
  readonly #from = performance.now()

  note(who: string, what: string): void {
    this.lines.push(`${(performance.now() - this.#from).toFixed(0).padStart(6)} ms  ${who}: ${what}`)
  }
}

export interface Door {
  readonly port: number
  readonly tls: boolean
}

export abstract class Participant {
  peer: Peer | undefined
  reader = new ResponseReader((bytes, offset) => this.takeBody(bytes, offset))
  /** It has ended its connection, or done what makes the gateway end it. */
  hasLeft = false
  /** When it ended its connection; never, for one that is there or whom the gateway may end later. */
  leftAt = Number.POSITIVE_INFINITY
  /** Its request has gone out. */
  hasAsked = false
  /** It does not come. */
  isAbsent = false
  #noted = false

  constructor(
    readonly who: string,
    readonly diary: Diary,
    readonly door: Door,
  ) {}

  protected abstract takeBody(bytes: Buffer, offset: number): void

  /** Nothing more will happen to it. */
  get isOver(): boolean {
    return this.isAbsent || this.reader.complete || this.peer?.isClosed === true
  }

  /** The response is whole. */
  get isWhole(): boolean {
    return this.reader.complete
  }

  get status(): number {
    return this.reader.head?.status ?? 0
  }

  note(what: string): void {
    this.diary.note(this.who, what)
  }

  leave(way: Way, why: string): void {
    if (this.hasLeft || this.peer === undefined || this.peer.isClosed) return
    this.note(`${way}, ${why}`)
    this.hasLeft = true
    this.leftAt = performance.now()
    this.peer.leave(way)
  }

  /** It has been served, and goes home. */
  close(): void {
    this.peer?.leave('destroy')
  }

  protected async come(readBytes: number): Promise<void> {
    const { port, tls } = this.door
    this.peer = await connectPeer({ port, tls, readBytes, onBytes: (bytes) => this.#take(bytes) })
    void this.peer.closed.then(() => this.note(`closed ${this.peer?.errorCode ?? ''}, ${this.summary}`))
  }

  protected async ask(line: string, fields = ''): Promise<void> {
    await this.peer!.send(`${line} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`)
    this.hasAsked = true
  }

  protected async leaveLater(ms: number, way: Way): Promise<void> {
    await sleep(ms)
    this.leave(way, `after ${ms} ms`)
  }

  get summary(): string {
    const { reader } = this
    const end = reader.complete ? 'whole' : 'not whole'
    return `status ${this.status}, ${reader.bodyBytes} bytes, ${end}${reader.problem === undefined ? '' : `, ${reader.problem}`}`
  }

  /** Whether the connection still serves: another request is answered on it. */
  async isUsable(): Promise<boolean> {
    const next = new ResponseReader(() => {})
    this.reader.push = (bytes) => next.push(bytes)
    await this.peer!.send('GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventually(() => next.complete || this.peer!.isClosed || 'no answer on a used connection', {
      timeoutMs: 20_000,
    })
    return next.head?.status === 200
  }

  #take(bytes: Buffer): void {
    this.reader.push(bytes)
    if (!this.reader.complete || this.#noted) return
    this.#noted = true
    this.note(`response complete, ${this.summary}`)
  }
}
