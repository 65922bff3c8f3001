/** A connection of a protocol that is spoken here by hand. */

import type { Socket } from 'node:net'
import { dial } from '../dial.js'
import type { CrewOptions } from './crew.js'
import { Pieces, type Split } from './pieces.js'

export class Wire {
  /** Resolves when `welcome` has been called. */
  readonly ready: Promise<void>
  /** Call it when the other side has said what it says to somebody whom it lets in. */
  welcome: () => void = () => {}

  readonly #socket: Socket
  #corked = false
  #closed = false

  /** Receivers connect to `outPort`, if there is another. */
  constructor({ target, failed }: CrewOptions, side: 'sender' | 'receiver', split: Split) {
    const pieces = new Pieces(split)
    const fail = (error: Error) => {
      if (!this.#closed) failed(error)
    }
    this.ready = new Promise((resolve) => {
      this.welcome = resolve
    })
    this.#socket = dial({
      target,
      side,
      ears: {
        bytes(length, buffer) {
          try {
            pieces.push(buffer, 0, length)
          } catch (error) {
            fail(error as Error)
          }
          return true
        },
        closed: (error) => fail(error ?? new Error(`a ${side}'s connection was closed`)),
      },
    })
  }

  /** What is written in one turn leaves together. */
  write(data: Buffer | string): void {
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      process.nextTick(this.#uncork)
    }
    this.#socket.write(data)
  }

  close(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  #uncork = (): void => {
    this.#corked = false
    this.#socket.uncork()
  }
}
