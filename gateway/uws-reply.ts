import { Refusal } from '../core/index.js'
import { type Answer, type HeaderList, soundHeaders, soundStatus } from './answers.js'
import type { AfterAnswer } from './exchange.js'
import type { Reply } from './plugin-api.js'
import { attempt, soundReply } from './plugin-guard.js'
import type { ExchangeOwner, UwsExchange } from './uws-exchange.js'
import type { Timed, Touched } from './uws-keepalive.js'
import { atEndOfTurn, type Flushable } from './uws-turn.js'

/** So much text waits for the end of a turn at most, if the writer looks at what `write` returns. */
const ENOUGH = 64 * 1024

/** The most that is kept of what a plugin writes on, to a client that does not take it. */
const MOST_KEPT = 16 * 1024 * 1024
/** In a cork, what does not fit beside what is there can be lost: see `ChunkedBody`. The head is in the first one. */
const FIRST = 4 * 1024
const PIECE = 16 * 1024 - 16

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
    /** Hears of what the plugin does wrong. */
    readonly failed: (error: unknown) => Refusal,
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
    const said = this.#sound(answer)
    this.#closing = true
    if (said instanceof Refusal) this.exchange.refuse(said, this.accept, this.after)
    else this.exchange.answer(said, this.after)
    return true
  }

  open(status: number, headers: HeaderList): boolean {
    if (this.isOver || this.#opened) return false
    try {
      this.#head = { status: soundStatus(status), headers: soundHeaders(headers) }
    } catch (error) {
      this.give(this.failed(error))
      return false
    }
    this.#opened = true
    if (this.exchange.isHead) return this.close()
    const { sockets } = this.exchange.context
    // What it sends from now on could only be answered in the middle of the stream.
    sockets.mute(this.exchange.socket, true)
    this.res.onWritable(() => this.#writable())
    this.#schedule()
    return true
  }

  write(text: string): boolean {
    if (this.isOver || !this.#opened) return false
    if (typeof text !== 'string') return this.#wrong(new TypeError('what it wrote is no text'))
    if (this.kept + text.length > MOST_KEPT) return this.#wrong(new Error('it wrote on to a client that does not read'))
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

  /** The plugin has failed in the middle of a stream. */
  #wrong(error: unknown): false {
    this.failed(error)
    this.cut()
    return false
  }

  #sound(said: Answer | Refusal): Answer | Refusal {
    try {
      return soundReply(said)
    } catch (error) {
      return this.failed(error)
    }
  }

  lookForPeer(): void {}

  flush(): void {
    this.#scheduled = false
    if (this.exchange.over || this.#blocked) return
    const bytes = Buffer.from(this.#text)
    this.#text = ''
    const end = this.#closing
    this.#send(bytes)
    if (end) {
      if (!this.exchange.over) this.#end()
    } else if (this.#blocked && !this.exchange.over) {
      this.#withUws = bytes.length
      this.#touched ??= this.exchange.context.keepalive.add(this)
    } else {
      this.#drained()
    }
  }

  /** uWebSockets keeps what the kernel does not take. */
  #send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.exchange.over; ) {
      const piece = bytes.subarray(at, at + (this.#head === undefined ? PIECE : FIRST))
      at += piece.length
      this.res.cork(() => {
        this.#writeHead()
        if (!this.res.write(piece)) this.#blocked = true
      })
    }
    this.exchange.bytesOut += bytes.length
  }

  #end(): void {
    this.res.cork(() => {
      this.#writeHead()
      if (this.exchange.isHead) this.res.endWithoutBody()
      else this.res.end()
    })
    this.exchange.ended()
  }

  #writeHead(): void {
    if (this.#head === undefined) return
    this.exchange.writeHead(this.#head.status, this.#head.headers)
    if (this.after === 'discard') this.exchange.announceClose()
    this.#head = undefined
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
    attempt(this.#drain, (error) => this.#wrong(error))
  }

  #schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this)
  }
}
