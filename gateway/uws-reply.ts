import { Refusal } from '../core/index.js'
import type { Answer, HeaderList } from './answers.js'
import type { AfterAnswer } from './exchange.js'
import type { Reply } from './plugin-api.js'
import type { ExchangeOwner, UwsExchange } from './uws-exchange.js'
import type { Timed, Touched } from './uws-keepalive.js'
import { atEndOfTurn, type Flushable } from './uws-turn.js'

/** So much text waits for the end of a turn at most, if the writer looks at what `write` returns. */
const ENOUGH = 64 * 1024

/** The response of a request that a plugin answers. */
export class UwsReply implements Reply, Flushable, ExchangeOwner, Timed {
  readonly isPaused = false
  /** Text that uWebSockets has not been given. */
  #text = ''
  /** Characters that uWebSockets keeps because the client does not take them; at least that many bytes. */
  #withUws = 0
  #blocked = false
  /** Whoever writes was told that it is enough. */
  #full = false
  #head: { readonly status: number; readonly headers: HeaderList } | undefined
  #opened = false
  #closing = false
  #scheduled = false
  #touched: Touched | undefined
  #drain: () => void = () => {}

  constructor(
    readonly exchange: UwsExchange,
    readonly accept: string,
    readonly after: AfterAnswer,
  ) {}

  get res() {
    return this.exchange.res
  }

  get isOver(): boolean {
    return this.exchange.over || this.#closing
  }

  get kept(): number {
    return this.#text.length + this.#withUws
  }

  give(answer: Answer | Refusal): boolean {
    if (this.isOver || this.#opened) return false
    this.#closing = true
    if (answer instanceof Refusal) this.exchange.refuse(answer, this.accept, this.after)
    else this.exchange.answer(answer, this.after)
    return true
  }

  open(status: number, headers: HeaderList): boolean {
    if (this.isOver || this.#opened) return false
    this.#opened = true
    this.#head = { status, headers }
    const { sockets } = this.exchange.context
    // What it sends from now on could only be answered in the middle of the stream.
    sockets.mute(this.exchange.socket, true)
    this.res.onWritable(() => this.#writable())
    this.#schedule()
    return true
  }

  write(text: string): boolean {
    if (this.isOver || !this.#opened) return false
    this.#text += text
    this.#schedule()
    this.#full = this.#blocked || this.#text.length >= ENOUGH
    return !this.#full
  }

  close(): boolean {
    if (this.isOver || !this.#opened) return false
    this.#closing = true
    this.#schedule()
    return true
  }

  cut(): void {
    this.exchange.cut()
  }

  onDrain(run: () => void): void {
    this.#drain = run
  }

  over(): void {
    this.#touched?.letGo()
    this.exchange.context.sockets.mute(this.exchange.socket, false)
  }

  gone(): void {}

  fault(error: unknown): void {
    this.exchange.context.onFault(error)
    this.cut()
  }

  lookForPeer(): void {}

  flush(): void {
    this.#scheduled = false
    if (this.exchange.over || this.#blocked) return
    const text = this.#text
    this.#text = ''
    const end = this.#closing
    this.res.cork(() => {
      if (this.#head !== undefined) this.exchange.writeHead(this.#head.status, this.#head.headers)
      this.#head = undefined
      if (text !== '') this.#blocked = !this.res.write(text)
      if (end && !this.exchange.over) this.res.end()
    })
    if (end) {
      if (!this.exchange.over) this.exchange.ended()
    } else if (this.#blocked && !this.exchange.over) {
      this.#withUws = text.length
      this.#touched ??= this.exchange.context.keepalive.add(this)
    } else {
      this.#drained()
    }
  }

  #writable(): boolean {
    if (this.exchange.over) return true
    this.#blocked = false
    this.#withUws = 0
    // What is left in its buffer is not sent without this: see UwsSource.
    this.res.cork(() => {})
    if (this.#text !== '' || this.#closing) this.#schedule()
    this.#drained()
    return true
  }

  #drained(): void {
    if (!this.#full || this.exchange.over) return
    this.#full = false
    try {
      this.#drain()
    } catch (error) {
      this.fault(error)
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this)
  }
}
