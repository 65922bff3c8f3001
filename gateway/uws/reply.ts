import { Refusal, type SideLimits } from '../../core/index.js'
import { attempt, checkedReply } from '../host/error-boundary.js'
import type { Body, Reply, WebSocketLink, WebSocketPeer } from '../host/plugin-api.js'
import type { AfterAnswer } from '../http/after-answer.js'
import { type Answer, endingAnswer, type HeaderList, soundHeaders, soundStatus } from '../http/answers.js'
import { FAILURES } from '../http/failures.js'
import type { Framing } from '../http/framing.js'
import { ChunkedBody, LengthBody, type ResponseBody, type WriteFrom } from './body.js'
import { Brake } from './brake.js'
import type { ExchangeOwner, UwsExchange } from './exchange.js'
import type { Timed, Touched } from './keepalive.js'
import { atEndOfTurn, type Flushable } from './turn.js'
import { UwsUpload } from './upload.js'

/** So much waits for the end of a turn at most, if the writer looks at what `write` returns. */
const ENOUGH = 64 * 1024

/** The most that is kept of what a plugin writes on, to a client that does not take it. */
const MOST_KEPT = 16 * 1024 * 1024
/** A response up to this size leaves as a whole, and has a length. */
const SHORT = 4 * 1024
/** Pieces up to this size are joined before they leave. */
const SMALL = 16 * 1024
/** Nobody says when the kernel has room for the last bytes, so it is asked again after 1, 2, 4 ms and so on up to this. */
const LONGEST_PAUSE_MS = 64

interface Head {
  readonly status: number
  readonly headers: HeaderList
  readonly length: number | undefined
}

/** The response of a request that a plugin answers, and the body of that request if the plugin wants it. */
export class UwsReply implements Reply, Flushable, ExchangeOwner, Timed {
  /** Text behind all that is queued. */
  #text = ''
  #queue: Uint8Array[] = []
  /** Bytes in the queue. */
  #queued = 0
  /** Whoever writes was told that it is enough. */
  #full = false
  #head: Head | undefined
  #body: ResponseBody | undefined
  /** Bytes of the announced length that have not been written. */
  #due = Number.POSITIVE_INFINITY
  #closing = false
  #scheduled = false
  #touched: Touched | undefined
  #drain: () => void = () => {}
  #pauseMs = 0.5
  /** The plugin has paused the body. */
  #bodyPaused = false
  /** What the gates have said of this request. */
  #limits: SideLimits | undefined
  #brake: Brake | undefined
  readonly #upload: UwsUpload | undefined

  /** @param framing of the request's body; without it the body is read and dropped */
  constructor(
    readonly exchange: UwsExchange,
    /** The client's `Accept`. */
    readonly wants: string,
    readonly after: AfterAnswer,
    /** Hears of what the plugin does wrong. */
    readonly failed: (error: unknown) => Refusal,
    readonly framing?: Framing,
  ) {
    if (framing === undefined || framing.length === 0) return
    this.#upload = new UwsUpload(exchange, framing.length === undefined, { failed: (error) => this.#wrong(error) })
  }

  get res() {
    return this.exchange.res
  }

  get isPaused(): boolean {
    return this.#upload?.isPaused ?? false
  }

  get isOver(): boolean {
    return this.exchange.over || this.#closing
  }

  get kept(): number {
    return this.#text.length + this.#queued
  }

  accept(protocol: string, headers: HeaderList, peer: WebSocketPeer): WebSocketLink | undefined {
    if (this.isOver || this.#head !== undefined) return undefined
    let sound: HeaderList
    try {
      sound = soundHeaders(headers)
    } catch (error) {
      this.give(this.failed(error))
      return undefined
    }
    this.#closing = true
    return this.exchange.accept(protocol, sound, peer, this.failed)
  }

  /** In the handler: from here on the body of the request waits for who takes it. */
  listen(): void {
    if (this.#upload === undefined) return
    this.#upload.listen()
    this.#keepAlive()
  }

  /** The gates have let the request in: from here on what they said of it holds. */
  limit(limits: SideLimits | undefined): void {
    const { throttles, totalMs } = limits ?? {}
    this.#limits = limits
    if (throttles !== undefined) this.#brake = new Brake(throttles, () => this.#released())
    if (totalMs !== undefined) this.exchange.context.clock.after(totalMs, () => this.#tooLong())
  }

  /** The request's body. */
  get body(): Body {
    return {
      length: this.framing?.length,
      read: (feed, end) => this.#read(feed, end),
      pause: () => {
        this.#bodyPaused = true
        this.#upload?.pause()
      },
      resume: () => {
        this.#bodyPaused = false
        if (this.#brake?.holds !== true) this.#upload?.resume()
      },
    }
  }

  #read(feed: (bytes: Uint8Array) => void, end: () => void): void {
    const ended = () => {
      if (this.exchange.over) return
      if (this.#body !== undefined) this.#mute()
      end()
    }
    if (this.#upload === undefined) {
      end()
      return
    }
    const cut = () => this.cut()
    const taker = { feed: this.#limited(feed), end: ended, broken: cut, left() {}, fault: cut }
    this.#upload.give(taker, this.#brake !== undefined)
    if (this.#brake?.holds !== true) this.#upload.resume()
  }

  /** Hands on what may come. */
  #limited(feed: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
    const brake = this.#brake
    const most = this.#limits?.maxBytes ?? Number.POSITIVE_INFINITY
    if (brake === undefined && most === Number.POSITIVE_INFINITY) return feed
    let found = 0
    return (bytes) => {
      found += bytes.length
      if (found > most) {
        if (!this.give(new Refusal(FAILURES.tooLarge, { found, expected: most }))) this.cut()
        return
      }
      feed(bytes)
      brake?.spend(bytes.length)
      if (brake?.holds) this.#upload!.pause()
    }
  }

  /** There may be something to spend again. */
  #released(): void {
    if (this.exchange.over) return
    if (!this.#bodyPaused) this.#upload?.resume()
    if (this.#head !== undefined) this.#schedule()
  }

  #tooLong(): void {
    if (this.exchange.over) return
    this.exchange.reason = 'too_long'
    if (!this.give(endingAnswer('too_long', { endFailure: undefined }, this.wants))) this.cut()
  }

  give(answer: Answer | Refusal): boolean {
    if (this.isOver || this.#head !== undefined) return false
    const said = this.#sound(answer)
    this.#closing = true
    if (said instanceof Refusal) this.exchange.refuse(said, this.wants, this.#after)
    else this.exchange.answer(said, this.#after)
    return true
  }

  open(status: number, headers: HeaderList, length?: number): boolean {
    if (this.isOver || this.#head !== undefined) return false
    try {
      this.#head = { status: soundStatus(status), headers: soundHeaders(headers), length: soundLength(length) }
    } catch (error) {
      this.give(this.failed(error))
      return false
    }
    const { exchange, res } = this
    if (exchange.isHead || status === 204 || status === 304) return this.#finish()
    const { sockets, tls } = exchange.context
    const target = { res, sockets, tls, socket: exchange.socket, head: () => this.#writeHead() }
    this.#body = length === undefined ? new ChunkedBody(target) : new LengthBody(target, length)
    this.#due = length ?? this.#due
    if (this.#upload?.ended !== false) this.#mute()
    res.onWritable(() => this.#writable())
    if (this.#due === 0) this.#finish()
    this.#schedule()
    return true
  }

  write(piece: string | Uint8Array): boolean {
    if (this.isOver || this.#body === undefined) return false
    const isText = typeof piece === 'string'
    if (!isText && !(piece instanceof Uint8Array)) return this.#wrong(new TypeError('it wrote neither text nor bytes'))
    if (this.kept + piece.length > MOST_KEPT)
      return this.#wrong(new Error('it wrote on to a client that does not read'))
    if (isText && this.#due === Number.POSITIVE_INFINITY) this.#text += piece
    else {
      this.#queueText()
      this.#add(isText ? Buffer.from(piece) : piece)
    }
    if (this.#due < 0) return this.#wrong(new RangeError('it wrote more than it had announced'))
    if (this.#due === 0) this.#finish()
    if (!this.#body.blocked) this.#schedule()
    this.#full = this.#body.blocked || this.kept >= ENOUGH
    return !this.#full
  }

  close(): boolean {
    if (this.isOver || this.#head === undefined) return false
    if (this.#body === undefined || this.#due === Number.POSITIVE_INFINITY) return this.#finish()
    this.cut()
    return false
  }

  cut(): void {
    this.exchange.cut()
  }

  onDrain(run: () => void): void {
    this.#drain = run
  }

  over(): void {
    this.#touched?.letGo()
    this.#upload?.over()
    this.#brake?.release()
    this.#queue = []
    this.exchange.context.sockets.mute(this.exchange.socket, false)
  }

  gone(): void {}

  fault(error: unknown): void {
    this.exchange.context.onFault(error)
    this.cut()
  }

  /** Its reading is paused, and nobody reads on for one who has gone. */
  lookForPeer(): void {
    const { exchange } = this
    if (!exchange.over && exchange.context.sockets.peerIsGone(exchange.socket)) this.res.close()
  }

  /** Over TLS nothing may be written to one connection in a callback of another one, and nobody knows whether this is in one. */
  sendNow(): void {
    if (this.#head === undefined || this.exchange.over || this.exchange.context.tls) return
    if (this.#body?.blocked !== true) this.#carryOn('turn')
  }

  flush(): void {
    this.#scheduled = false
    if (!this.exchange.over) this.#carryOn('turn')
  }

  /** The plugin has failed in the middle of a stream. */
  #wrong(error: unknown): false {
    this.failed(error)
    this.cut()
    return false
  }

  #sound(said: Answer | Refusal): Answer | Refusal {
    try {
      return checkedReply(said)
    } catch (error) {
      return this.failed(error)
    }
  }

  get #after(): AfterAnswer {
    if (this.#upload === undefined) return this.after
    return this.#upload.ended ? 'keep' : 'discard'
  }

  /** What it sends from now on could only be answered in the middle of the stream. */
  #mute(): void {
    this.exchange.context.sockets.mute(this.exchange.socket, true)
  }

  /** Nothing more is written. What is still coming of the request is dropped, which needs a socket that reads. */
  #finish(): boolean {
    this.#closing = true
    if (this.#upload?.ended === false) this.#upload.drop()
    this.#schedule()
    return true
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#queue.push(bytes)
    this.#queued += bytes.length
    this.#due -= bytes.length
  }

  /** Sends what is due. */
  #carryOn(from: WriteFrom): void {
    const body = this.#body
    if (body === undefined) {
      this.#endBare()
      return
    }
    this.#join()
    if (this.#closing && !body.begun && this.#brake === undefined && this.#queued <= SHORT) {
      this.#endWhole()
      return
    }
    while (this.#queue.length > 0 && !body.blocked) {
      if (this.#brake?.holds || !this.#writeFirst(body, from)) return
    }
    if (body.blocked) this.#keepAlive()
    else if (!this.#closing) this.#drained(body)
    else if (body.end()) this.exchange.ended()
    else this.#tryAgain()
  }

  /** All that there is, in one piece. */
  #endWhole(): void {
    const [bytes = ''] = this.#queue
    this.res.cork(() => {
      this.#writeHead()
      this.res.end(bytes)
    })
    this.exchange.gave('complete', bytes.length)
  }

  /** Returns whether to go on. */
  #writeFirst(body: ResponseBody, from: WriteFrom): boolean {
    const bytes = this.#queue[0]!
    const took = body.write(bytes, from)
    this.exchange.bytesOut += took
    this.#queued -= took
    this.#brake?.spend(took)
    if (this.exchange.over) return false
    if (body.done) {
      this.exchange.ended()
      return false
    }
    if (took === bytes.length) this.#queue.shift()
    else this.#queue[0] = bytes.subarray(took)
    if (took < bytes.length && !body.blocked) {
      this.#tryAgain()
      return false
    }
    return true
  }

  /** Makes one of what is small, and of what is text. */
  #join(): void {
    this.#queueText()
    if (this.#queue.length > 1 && this.#queued <= SMALL) this.#queue = [Buffer.concat(this.#queue)]
  }

  #queueText(): void {
    if (this.#text === '') return
    const text = Buffer.from(this.#text)
    this.#text = ''
    this.#add(text)
  }

  /** A response that is nothing but its head. */
  #endBare(): void {
    const { res } = this
    const { status, length } = this.#head!
    res.cork(() => {
      this.#writeHead()
      if (length !== undefined && status !== 204) res.writeHeader('Content-Length', `${length}`)
      res.endWithoutBody()
    })
    this.exchange.ended()
  }

  #writeHead(): void {
    const { status, headers } = this.#head!
    this.exchange.writeHead(status, headers)
    if (this.#after === 'discard') this.exchange.announceClose()
  }

  /** There was no room for the last bytes. */
  #tryAgain(): void {
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
    setTimeout(() => this.#schedule(), this.#pauseMs)
  }

  #writable(): boolean {
    if (this.exchange.over) return true
    const body = this.#body!
    body.unblock()
    try {
      if (!body.blocked) this.#carryOn('callback')
    } catch (error) {
      this.fault(error)
    }
    return !body.blocked
  }

  #drained(body: ResponseBody): void {
    if (!body.begun) body.begin()
    if (body.blocked) this.#keepAlive()
    if (body.blocked || !this.#full || this.exchange.over) return
    this.#full = false
    attempt(this.#drain, (error) => this.#wrong(error))
  }

  #keepAlive(): void {
    this.#touched ??= this.exchange.context.keepalive.add(this)
  }

  #schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this)
  }
}

/** @throws RangeError when it is no length */
function soundLength(length: number | undefined): number | undefined {
  if (length === undefined || (Number.isSafeInteger(length) && length >= 0)) return length
  throw new RangeError(`the length ${String(length)} is no number of bytes`)
}
