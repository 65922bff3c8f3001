/** One side of many small transfers, one after the other, on a connection that is kept for as long as the relay keeps it. */

import type { Socket } from 'node:net'
import { dial, type Target } from './dial.js'
import { ResponseReader, type TakeBody } from './response.js'

interface Pending {
  resolve(): void
  reject(error: unknown): void
}

export class Talker {
  readonly #target: Target
  readonly #side: 'sender' | 'receiver'
  readonly #fresh: boolean
  readonly #reader: ResponseReader
  #socket: Socket | null = null
  #pending: Pending | null = null

  /** `fresh`: every request on a new connection, as every curl does. `take` gets the bodies of the responses. */
  constructor(target: Target, side: 'sender' | 'receiver', fresh: boolean, take: TakeBody) {
    this.#target = target
    this.#side = side
    this.#fresh = fresh
    this.#reader = new ResponseReader(take)
  }

  /** Sends a request. Resolves when its response is complete and was a 200. One at a time. */
  ask(request: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#reader.reset()
      this.#socket ??= this.#dial()
      this.#socket.write(request)
    })
  }

  /** The head of the last response. */
  get head(): string {
    return this.#reader.head
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  #dial(): Socket {
    const socket: Socket = dial({
      target: this.#target,
      side: this.#side,
      ears: {
        bytes: (length, buffer) => this.#read(length, buffer),
        closed: (error) => this.#closed(socket, error),
      },
    })
    return socket
  }

  #read(length: number, buffer: Buffer): boolean {
    try {
      this.#reader.push(buffer, length)
      if (this.#reader.complete) this.#finish()
    } catch (error) {
      this.#fail(error)
    }
    return true
  }

  #finish(): void {
    if (this.#reader.status !== 200) throw new Error(`a ${this.#side} was told ${this.#reader.status}`)
    if (this.#fresh || /\r\nconnection: *close\r\n/i.test(this.#reader.head)) this.close()
    const pending = this.#pending
    this.#pending = null
    pending?.resolve()
  }

  #closed(socket: Socket, error: Error | undefined): void {
    if (socket !== this.#socket) return
    this.#socket = null
    if (this.#pending !== null) this.#fail(error ?? new Error(`a ${this.#side}'s connection was closed too early`))
  }

  #fail(error: unknown): void {
    const pending = this.#pending
    this.#pending = null
    this.close()
    pending?.reject(error)
  }
}
