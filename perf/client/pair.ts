/** A sender and a receiver that belong together, for many small transfers. */

import type { Target } from './dial.js'
import { expectPattern, patternAt } from './pattern.js'
import { Talker } from './talker.js'

export class Pair {
  readonly #sender: Talker
  readonly #receiver: Talker
  readonly #bytes: number
  /** Where in the pattern the body of this transfer begins. */
  #offset = 0
  #received = 0
  #answer = ''

  /** `bytes`: of every body. `fresh`: both sides connect anew for every transfer. */
  constructor(target: Target, bytes: number, fresh: boolean) {
    this.#bytes = bytes
    this.#sender = new Talker(target, 'sender', fresh, (lines, from, to) => {
      this.#answer += lines.toString('latin1', from, to)
    })
    this.#receiver = new Talker(target, 'receiver', fresh, (body, from, to) => {
      expectPattern(body, from, to, this.#offset + this.#received)
      this.#received += to - from
    })
  }

  /** One transfer, complete on both sides, with bytes of its own. */
  async transfer(path: string): Promise<void> {
    this.#offset += this.#bytes
    this.#received = 0
    this.#answer = ''
    const head = `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${this.#bytes}\r\n\r\n`
    await Promise.all([
      this.#receiver.ask(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
      this.#sender.ask(Buffer.concat([Buffer.from(head), patternAt(this.#offset, this.#bytes)])),
    ])
    if (this.#received !== this.#bytes) throw new Error(`${this.#received} bytes came of ${this.#bytes}`)
    if (this.#answer.includes('[ERROR]')) throw new Error(`the sender was told: ${this.#answer}`)
  }

  close(): void {
    this.#sender.close()
    this.#receiver.close()
  }
}
