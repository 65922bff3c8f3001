/** One connection of the load, and the response that comes over it: byte by byte, and nothing of it is kept. */

import { connectPeer, type Peer, type Way } from '../../support/peer.js'
import { ResponseReader } from '../../support/response-reader.js'
import { hasFin } from './fin.js'

/** Where a gateway is, and what it wants to see. */
export interface Door {
  readonly name: string
  readonly port: number
  readonly tls: boolean
  /** A line for the head of each request, `Authorization: …\r\n`, or nothing. */
  readonly credentials: () => string
}

export interface RequestOptions {
  readonly onBody?: (bytes: Buffer, offset: number) => void
  /** HTTP/1.0: a body without framing ends with the connection. */
  readonly untilEnd?: boolean
}

export class Connection {
  reader = new ResponseReader(() => {})
  /** Requests so far. */
  asked = 0
  /** Bytes that answer the last request. */
  answered = 0
  hasLeft = false
  #peer: Peer | undefined

  private constructor(readonly door: Door) {}

  /** Rejects when it cannot be opened. */
  static async open(door: Door, readBytes = 64 * 1024): Promise<Connection> {
    const connection = new Connection(door)
    const onBytes = (bytes: Buffer) => {
      connection.answered += bytes.length
      connection.reader.push(bytes)
    }
    const peer = await connectPeer({ port: door.port, tls: door.tls, readBytes, onBytes })
    connection.#peer = peer
    peer.onEnd = () => {
      if (connection.reader.untilEnd && hasFin(peer.localPort)) connection.reader.ended()
    }
    return connection
  }

  /** Sends the head of a request, and reads its answer from here on. */
  async request(
    line: string,
    fields = '',
    { onBody = () => {}, untilEnd = false }: RequestOptions = {},
  ): Promise<void> {
    this.reader = new ResponseReader(onBody, untilEnd)
    this.asked++
    this.answered = 0
    const version = untilEnd ? '1.0' : '1.1'
    await this.send(`${line} HTTP/${version}\r\nHost: localhost\r\n${this.door.credentials()}${fields}\r\n`)
  }

  async send(data: string | Uint8Array): Promise<void> {
    await this.#peer!.send(data)
  }

  pause(): void {
    this.#peer!.pause()
  }

  resume(): void {
    this.#peer!.resume()
  }

  leave(way: Way): void {
    this.hasLeft = true
    this.#peer!.leave(way)
  }

  get isClosed(): boolean {
    return this.#peer!.isClosed
  }

  /** Nothing more will happen to the last request. */
  get isOver(): boolean {
    return this.reader.complete || this.isClosed || this.reader.problem !== undefined
  }

  get status(): number {
    return this.reader.head?.status ?? 0
  }

  field(name: string): string | undefined {
    return this.reader.head?.headers.get(name)
  }

  /** It was closed before a byte of an answer came. */
  get isUnanswered(): boolean {
    return this.isClosed && this.answered === 0 && !this.hasLeft
  }

  /** Another request may be sent on it. */
  get canServe(): boolean {
    return this.reader.complete && !this.isClosed && !this.hasLeft && this.field('connection') !== 'close'
  }

  get story(): string {
    const { reader } = this
    const end = reader.complete ? 'whole' : this.isClosed ? 'closed' : 'open'
    const left = this.hasLeft ? ', has left' : ''
    const why = [reader.problem, this.#peer?.errorCode].filter(Boolean).join(', ')
    return `${this.door.name}, request ${this.asked}: ${this.status} ${this.field('x-pipe-code') ?? ''}, ${reader.bodyBytes} bytes, ${end}${left}${why && ` (${why})`}`
  }
}
