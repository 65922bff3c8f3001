/** Receivers that compare every byte with the pattern, unless they are told not to. */

import type { Socket } from 'node:net'
import { dial, type Target } from './dial.js'
import { expectPattern } from './pattern.js'
import { ResponseReader } from './response.js'

export interface ReceiveOptions {
  readonly target: Target
  /** Name and query, with the slash. */
  readonly path: string
  /** Bytes that have to come, no more and no less. */
  readonly bytes: number
  /** What comes is counted and not compared, where that would cost more than to relay it. */
  readonly discards?: boolean
  /** Reads no faster than this. Unlimited when absent. */
  readonly bytesPerSecond?: number
}

/** One receiver. */
export class Receiver {
  /** Resolves when exactly the bytes of the pattern came, and the framing said so. Rejects otherwise. */
  readonly done: Promise<void>
  /** Bytes of the body so far, all of them right. */
  received = 0

  readonly #options: ReceiveOptions
  readonly #reader: ResponseReader | null
  #resolve!: () => void
  #reject!: (error: unknown) => void
  #socket: Socket
  #stopped = false
  #paused = false
  /** Bytes that may be read before the next tick; null without a limit. */
  #budget: number | null = null
  #tick: NodeJS.Timeout | undefined

  constructor(options: ReceiveOptions) {
    this.#options = options
    const take = (bytes: Buffer, from: number, to: number) => this.#take(bytes, from, to)
    this.#reader = options.target.scheme === 'raw' ? null : new ResponseReader(take)
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (options.bytesPerSecond !== undefined) this.#limit(options.bytesPerSecond)
    this.#socket = this.#dial()
  }

  /** Resolves when the connection stands and the request has been given to the kernel. */
  get asked(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#reader === null) resolve()
      else this.#socket.write(`GET ${this.#options.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => resolve())
    })
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#socket.resume()
  }

  /** Leaves, whatever has come. `done` stays as it is. */
  stop(): void {
    this.#stopped = true
    clearInterval(this.#tick)
    this.#socket.destroy()
  }

  #dial(): Socket {
    const { target, bytesPerSecond } = this.#options
    const ears = {
      bytes: (length: number, buffer: Buffer) => this.#read(length, buffer),
      closed: (error: Error | undefined) => this.#closed(error),
    }
    return dial({ target, side: 'receiver', ears, ...(bytesPerSecond !== undefined && { ownBuffer: 64 * 1024 }) })
  }

  #limit(bytesPerSecond: number): void {
    const everyMs = 20
    const share = (bytesPerSecond * everyMs) / 1000
    this.#budget = share
    this.#tick = setInterval(() => {
      // What was read too much is owed; what was not read is not saved up.
      this.#budget = Math.min(share, this.#budget! + share)
      if (this.#budget > 0 && !this.#paused) this.#socket.resume()
    }, everyMs)
  }

  #read(length: number, buffer: Buffer): boolean {
    try {
      if (this.#reader === null) this.#take(buffer, 0, length)
      else this.#reader.push(buffer, length)
      this.#finishIfComplete()
    } catch (error) {
      this.#fail(error)
    }
    if (this.#budget !== null) this.#budget -= length
    return !this.#paused && (this.#budget === null || this.#budget > 0)
  }

  #take(bytes: Buffer, from: number, to: number): void {
    if (this.#reader !== null && this.#reader.status !== 200) {
      throw new Error(`the receiver was told ${this.#reader.status}: ${bytes.toString('latin1', from, to)}`)
    }
    if (this.#options.discards !== true) expectPattern(bytes, from, to, this.received)
    this.received += to - from
  }

  #finishIfComplete(): void {
    const { bytes } = this.#options
    const complete = this.#reader === null ? this.received >= bytes : this.#reader.complete
    if (!complete) return
    if (this.received !== bytes) throw new Error(`the body has ${this.received} bytes, and ${bytes} were sent`)
    this.#resolve()
    if (this.#reader !== null) this.stop()
  }

  #closed(error: Error | undefined): void {
    // The port of a raw relay opens only when its sender is there.
    if (error !== undefined && 'code' in error && error.code === 'ECONNREFUSED' && this.#reader === null) {
      setTimeout(() => {
        if (!this.#stopped) this.#socket = this.#dial()
      }, 20)
      return
    }
    if (!this.#stopped) this.#fail(error ?? new Error(`the connection was closed after ${this.received} bytes`))
  }

  #fail(error: unknown): void {
    this.#reject(error)
    this.stop()
  }
}
