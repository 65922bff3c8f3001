import type { ClientRequest } from 'node:http'
import { ConnectionLost } from '../../wire/failures.js'
import { type Message, writeMessage } from './message.js'

/** Silence is filled so often, in milliseconds, and one that lasts longer than the second is no silence any more. */
const FILL_MS = 15_000
const DEAD_MS = 50_000
/** So long the last word may take, in milliseconds. */
const GOODBYE_MS = 1000

/** Both sides are there, and tell each other things. */
export class Line {
  /** Resolves when it is over: with the reason, or undefined when one side has ended by itself. */
  readonly over: Promise<Error | undefined>
  #setOver!: (why: Error | undefined) => void
  #isOver = false
  #heardAt = performance.now()
  /** What came before anybody listened: the other side may know earlier that both have met. */
  readonly #early: Message[] = []
  #listener: ((message: Message) => void) | undefined
  readonly #filling = setInterval(() => this.#fill(), FILL_MS)

  constructor(
    readonly out: ClientRequest,
    readonly incoming: ClientRequest,
  ) {
    this.over = new Promise((resolve) => {
      this.#setOver = resolve
    })
  }

  tell(message: Message): void {
    if (!this.#isOver) this.out.write(writeMessage(message))
  }

  /** Each message is given to the listener, also those that have come. */
  listen(listener: (message: Message) => void): void {
    this.#listener = listener
    for (const message of this.#early.splice(0)) listener(message)
  }

  /** A line has come, which may be empty. */
  heard(message: Message | undefined): void {
    this.#heardAt = performance.now()
    if (message === undefined) return
    if (this.#listener === undefined) this.#early.push(message)
    else this.#listener(message)
  }

  end(why: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#filling)
    this.out.destroy()
    this.incoming.destroy()
    this.#setOver(why)
  }

  /** Tells the other side that this one ends. */
  async close(): Promise<void> {
    if (this.#isOver) return
    const told = new Promise((resolve) => this.out.once('close', resolve))
    this.out.end()
    const late = new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())
    await Promise.race([told, late])
    this.end(undefined)
  }

  #fill(): void {
    if (performance.now() - this.#heardAt > DEAD_MS) this.end(new ConnectionLost('nothing came from the other side'))
    else if (!this.out.writableNeedDrain) this.out.write('\n')
  }
}
