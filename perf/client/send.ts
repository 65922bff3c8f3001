/** One sender. */

import type { Socket } from 'node:net'
import { type BodyPlan, bodyPieces, writeBody } from './body-writer.js'
import { dial, type Target } from './dial.js'
import { ResponseReader } from './response.js'

export interface SendOptions extends BodyPlan {
  readonly target: Target
  /** Name and query, with the slash. */
  readonly path: string
}

/** Sends one body of the pattern. */
export class Sender {
  /** Resolves when the relay has answered that all went well, or a raw body is flushed. Rejects otherwise. */
  readonly done: Promise<void>

  readonly #socket: Socket
  readonly #reader: ResponseReader
  #answer = ''
  #resolve!: () => void
  #reject!: (error: unknown) => void

  constructor(options: SendOptions) {
    this.#reader = new ResponseReader((bytes, from, to) => {
      this.#answer += bytes.toString('latin1', from, to)
    })
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const ears = {
      bytes: (length: number, buffer: Buffer) => this.#read(length, buffer),
      closed: (error: Error | undefined) => this.#closed(error),
    }
    this.#socket = dial({ target: options.target, side: 'sender', ears })
    this.#write(options)
  }

  /** Closes the connection after what has been written: the end of a raw body. */
  close(): void {
    this.#socket.end()
  }

  /** Leaves as a process that dies: whatever is unsent is lost. */
  kill(): void {
    this.#socket.destroy()
  }

  #write(options: SendOptions): void {
    const isRaw = options.framing === 'raw'
    if (!isRaw) this.#socket.write(requestHead(options))
    writeBody(this.#socket, bodyPieces(options), () => {
      if (isRaw) this.#resolve()
    })
  }

  #read(length: number, buffer: Buffer): boolean {
    try {
      this.#reader.push(buffer, length)
      if (this.#reader.complete) this.#finish()
    } catch (error) {
      this.#reject(error)
      this.kill()
    }
    return true
  }

  #finish(): void {
    const { status } = this.#reader
    if (status !== 200 || this.#answer.includes('[ERROR]'))
      throw new Error(`the sender was told ${status}: ${this.#answer}`)
    this.#resolve()
    this.close()
  }

  #closed(error: Error | undefined): void {
    this.#reject(error ?? new Error(`the sender's connection was closed, and it had been told: ${this.#answer}`))
  }
}

function requestHead({ path, framing, bytes }: SendOptions): string {
  const body = framing === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`
  return `PUT ${path} HTTP/1.1\r\nHost: localhost\r\n${body}\r\n\r\n`
}
