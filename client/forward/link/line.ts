import { EventEmitter } from 'node:events'
import type { ClientRequest } from 'node:http'
import { ConnectionLost } from '../../wire/failures.js'
import { type Message, writeMessage } from './message.js'

/** Silence is filled so often, in milliseconds, and one that lasts longer than the second is no silence any more. */
const FILL_MS = 15_000
const DEAD_MS = 50_000
/** So long the last word may take, in milliseconds. */
const GOODBYE_MS = 1000

interface Happenings {
  message: [Message]
  /** `undefined` when the other side has ended by itself. */
  over: [Error | undefined]
}

/** Both sides are there, and tell each other things. */
export class Line extends EventEmitter<Happenings> {
  #heardAt = performance.now()
  #isOver = false
  readonly #filling = setInterval(() => this.#fill(), FILL_MS)

  constructor(
    readonly out: ClientRequest,
    readonly incoming: ClientRequest,
  ) {
    super()
  }

  tell(message: Message): void {
    if (!this.#isOver) this.out.write(writeMessage(message))
  }

  heard(message: Message | undefined): void {
    this.#heardAt = performance.now()
    if (message !== undefined) this.emit('message', message)
  }

  end(why: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#filling)
    this.out.destroy()
    this.incoming.destroy()
    this.emit('over', why)
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
