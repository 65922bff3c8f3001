import type { HeaderList } from '../../http/response/answer.js'
import { validateHeaders, validateStatus } from '../../http/response/validation.js'
import { Backoff } from '../body/backoff.js'
import { openResponseBody } from '../body/open-response-body.js'
import type { ResponseBody, WriteFrom } from '../body/response-body.js'
import { atEndOfTurn, type Flushable } from '../connection/end-of-turn.js'
import type { HttpExchange } from '../connection/http-exchange.js'
import type { CombinedThrottle } from './combined-throttle.js'
import { OutputQueue } from './output-queue.js'

/** From here on the plugin is told to wait for `onDrain`. */
const ENOUGH = 64 * 1024
/** The most that is kept for a client that does not read, when the plugin writes on all the same. */
const MOST_KEPT = 16 * 1024 * 1024
/** A response up to this size leaves as a whole, and has a length. */
const SHORT = 4 * 1024

export interface ReplyHead {
  readonly status: number
  readonly headers: HeaderList
  /** Undefined: unknown. */
  readonly length: number | undefined
}

/** The reply that the stream belongs to. */
export interface ReplyStreamOwner {
  readonly exchange: HttpExchange
  readonly throttle: CombinedThrottle | undefined
  /** The plugin did something wrong: cuts the connection, and returns false. */
  failedMidStream(error: unknown): false
  /** There is room again after the plugin was told to wait. */
  drained(): void
  /** A callback met a defect of the gateway. Must not throw. */
  fault(error: unknown): void
  cut(): void
  /** Whether the client is told to close the connection, since a part of its request has not been read. */
  readonly discardsRequest: boolean
  /** Nothing more is written. */
  closing(): void
  keepAlive(): void
}

/** The response that a plugin writes piece by piece. */
export class ReplyStream implements Flushable {
  /** Nothing more is written. */
  isClosing = false
  readonly #queue = new OutputQueue()
  /** Undefined when the response is nothing but its head. */
  readonly #body: ResponseBody | undefined
  /** Bytes of the announced length that have not been written. */
  #missing: number
  /** The plugin was told to wait. */
  #full = false
  #scheduled = false
  #leavesWhole = false
  readonly #backoff = new Backoff()

  constructor(
    readonly exchange: HttpExchange,
    readonly head: ReplyHead,
    readonly owner: ReplyStreamOwner,
  ) {
    const { status, length } = head
    const isBare = exchange.isHead || status === 204 || status === 304
    this.#body = isBare ? undefined : openResponseBody(exchange, status, length, () => this.#writeHead())
    this.#missing = length ?? Number.POSITIVE_INFINITY
  }

  get hasBody(): boolean {
    return this.#body !== undefined
  }

  get kept(): number {
    return this.#queue.kept
  }

  begin(): void {
    if (this.#body !== undefined) this.exchange.res.onWritable(() => this.#writable())
    if (this.#body === undefined || this.#missing === 0) this.#finish()
    this.schedule()
  }

  /** Only while not closing. */
  write(piece: string | Uint8Array): boolean {
    const body = this.#body!
    const isText = typeof piece === 'string'
    const { owner } = this
    if (!isText && !(piece instanceof Uint8Array)) {
      return owner.failedMidStream(new TypeError('it wrote neither text nor bytes'))
    }
    if (this.kept + piece.length > MOST_KEPT) {
      return owner.failedMidStream(new Error('it wrote on to a client that does not read'))
    }
    this.#enqueue(piece)
    if (this.#missing < 0) return owner.failedMidStream(new RangeError('it wrote more than it had announced'))
    if (this.#missing === 0) this.#finish()
    if (!body.blocked) this.schedule()
    this.#full = body.blocked || this.kept >= ENOUGH
    return !this.#full
  }

  #enqueue(piece: string | Uint8Array): void {
    if (typeof piece === 'string' && this.#missing === Number.POSITIVE_INFINITY) {
      this.#queue.addText(piece)
      return
    }
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
    this.#queue.add(bytes)
    this.#missing -= bytes.length
  }

  /** Only while not closing. */
  close(): boolean {
    if (this.#missing === Number.POSITIVE_INFINITY) return this.#finish()
    this.owner.cut()
    return false
  }

  sendNow(): void {
    if (this.#body?.blocked !== true) this.#carryOn('turn')
  }

  schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this)
  }

  flush(): void {
    this.#scheduled = false
    if (!this.exchange.over) this.#carryOn('turn')
  }

  fault(error: unknown): void {
    this.owner.fault(error)
  }

  /** The response is over. */
  over(): void {
    this.#queue.drop()
  }

  #finish(): boolean {
    this.isClosing = true
    this.owner.closing()
    this.schedule()
    return true
  }

  /** Sends what is due. */
  #carryOn(from: WriteFrom): void {
    const body = this.#body
    if (body === undefined) {
      this.#endBare()
      return
    }
    const { owner } = this
    const queue = this.#queue
    queue.pack()
    if (this.isClosing && !body.begun && owner.throttle === undefined && queue.bytes <= SHORT) {
      this.#endWhole()
      return
    }
    while (queue.first !== undefined && !body.blocked) {
      if (owner.throttle?.mustWait() || !this.#writePiece(body, queue.first, from)) return
    }
    if (body.blocked) owner.keepAlive()
    else if (!this.isClosing) this.#drained(body)
    else if (body.end()) this.exchange.ended()
    else this.#tryAgain()
  }

  /** Sends the whole response in one piece. */
  #endWhole(): void {
    const { res } = this.exchange
    const bytes = this.#queue.first ?? ''
    this.#leavesWhole = true
    res.cork(() => {
      this.#writeHead()
      res.end(bytes)
    })
    this.exchange.endedWhole('complete', bytes.length)
  }

  /** Returns whether to go on. */
  #writePiece(body: ResponseBody, bytes: Uint8Array, from: WriteFrom): boolean {
    const took = body.write(bytes, from)
    this.exchange.bytesOut += took
    this.#queue.take(took)
    this.owner.throttle?.spend(took)
    if (this.exchange.over) return false
    if (body.done) {
      this.exchange.ended()
      return false
    }
    if (took < bytes.length && !body.blocked) {
      this.#tryAgain()
      return false
    }
    return true
  }

  /** Ends a response that is nothing but its head. */
  #endBare(): void {
    const { res } = this.exchange
    const { status, length } = this.head
    res.cork(() => {
      this.#writeHead()
      if (length !== undefined && status !== 204) res.writeHeader('Content-Length', `${length}`)
      res.endWithoutBody()
    })
    this.exchange.ended()
  }

  /** It leaves with a length, or has no body. */
  get #isDelimited(): boolean {
    return this.#body === undefined || this.head.length !== undefined || this.#leavesWhole
  }

  #writeHead(): void {
    const { status, headers } = this.head
    if (this.owner.discardsRequest) this.exchange.closesBehind()
    this.exchange.writeHead(status, headers, this.#isDelimited)
  }

  /** There was no room for the last bytes. */
  #tryAgain(): void {
    this.#backoff.retry(() => this.schedule())
  }

  #writable(): boolean {
    if (this.exchange.over) return true
    const body = this.#body!
    body.unblock()
    try {
      if (!body.blocked) this.#carryOn('callback')
    } catch (error) {
      this.owner.fault(error)
    }
    return !body.blocked
  }

  #drained(body: ResponseBody): void {
    if (!body.begun) body.begin()
    if (body.blocked) this.owner.keepAlive()
    if (body.blocked || !this.#full || this.exchange.over) return
    this.#full = false
    this.owner.drained()
  }
}

/** @throws TypeError or RangeError when it is none */
export function soundHead(status: number, headers: HeaderList, length: number | undefined): ReplyHead {
  return { status: validateStatus(status), headers: validateHeaders(headers), length: soundLength(length) }
}

function soundLength(length: number | undefined): number | undefined {
  if (length === undefined || (Number.isSafeInteger(length) && length >= 0)) return length
  throw new RangeError(`the length ${String(length)} is no number of bytes`)
}
