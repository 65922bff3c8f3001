import type {
  BorrowedBytes,
  EndReason,
  PipeView,
  Refusal,
  Sink,
  SinkListener,
  StreamHead,
} from '../../../core/index.js'
import { endingAnswer } from '../../http/response/failure-answer.js'
import type { Persistence } from '../../http/response/persistence.js'
import type { SinkOptions } from '../../router/exchange.js'
import { Backoff } from '../body/backoff.js'
import { isBare, openResponseBody } from '../body/open-response-body.js'
import type { ResponseBody, WriteFrom } from '../body/response-body.js'
import { atEndOfTurn, type Flushable, isEndOfTurn, whenCrowdsTurnComes } from '../connection/end-of-turn.js'
import type { ExchangeOwner, HttpExchange } from '../connection/http-exchange.js'
import type { KeepaliveEntry, KeepaliveTarget } from '../connection/keepalive.js'
import { Arrival } from './arrival.js'
import type { OwnRequest } from './own-request.js'
import { PausedRoom } from './paused-room.js'

/** The response of a request as a sink. */
export class UwsSink implements Sink, Flushable, ExchangeOwner, KeepaliveTarget {
  /** The reading of a receiver's connection is never left paused. */
  readonly isPaused = false
  isFull = false
  /** The client has all of the response, and the exchange goes on for the rest of its request. */
  hasEndedAlone = false
  #listener: SinkListener | undefined
  #body: ResponseBody | undefined
  /** Of the response. */
  #length: number | undefined
  #scheduled = false
  /** Set while this response may write: in its own callback, or at the end of a turn. */
  #writeFrom: WriteFrom | undefined
  #room: PausedRoom | undefined
  #finishing = false
  #abortReason: EndReason | undefined
  #abortedPipe: PipeView | undefined
  #refusal: Refusal | undefined
  #keepalive: KeepaliveEntry | undefined
  /** Of a response that counts as finished when it has arrived. */
  #arrival: Arrival | undefined
  readonly #backoff = new Backoff()

  constructor(
    readonly exchange: HttpExchange,
    readonly options: SinkOptions,
    readonly request?: OwnRequest,
  ) {}

  get res() {
    return this.exchange.res
  }

  joined(listener: SinkListener): void {
    this.#listener = listener
  }

  over(): void {
    this.#keepalive?.release()
  }

  gone(): void {
    this.#listener?.left()
    this.#arrival?.release()
  }

  fault(error: unknown): void {
    this.exchange.context.onFault(error)
    this.#listener?.fault()
  }

  /** Only a topic says nothing for so long that somebody who is not there would be noticed by nothing else. */
  probeBody(): boolean {
    return this.options.headAtOnce === true && this.#body?.probe() === true
  }

  /** Never paused, so uWebSockets reports when its peer goes. */
  lookForPeer(): void {}

  begin(head: StreamHead, pipe: PipeView, offset: number): void {
    const { res, exchange, options } = this
    const { status, headers: own } = options.respond(head, pipe, offset)
    const headers = [...own, ...(options.additions?.headers ?? [])]
    const length = head.length === undefined ? undefined : head.length - offset
    this.#length = length
    const writeHead = () => {
      if (!this.#requestIsRead && !this.request!.outlasts) exchange.closesBehind()
      exchange.writeHead(status, headers, length !== undefined || isBare(status))
    }
    this.#body = openResponseBody(exchange, status, length, writeHead, options.headAtOnce)
    if (options.isConfirmed) this.#arrival = new Arrival(exchange.context, exchange.socket)
    res.onWritable(() => this.#writable())
    this.#schedule()
  }

  get #requestIsRead(): boolean {
    return this.request?.isRead !== false
  }

  write(bytes: BorrowedBytes): number {
    const body = this.#body!
    this.isFull = true
    if (this.exchange.over || this.#abortReason !== undefined || body.blocked) return 0
    // By its own doing, or by that of another receiver of the same topic.
    const known = this.#writeFrom ?? (isEndOfTurn() ? 'turn' : undefined)
    const from = known ?? 'callback'
    // In a callback of another connection, write only what is cheap and safe there.
    if (known === undefined && (!body.begun || this.exchange.context.tls || body.wantsTurn(bytes.byteLength))) {
      this.#schedule()
      return 0
    }
    // With the last byte the response is over, and then nothing can be done to its connection.
    if (this.exchange.bytesOut + bytes.byteLength === this.#length && !this.#requestIsRead) this.request!.discard()
    const isFirst = this.#arrival !== undefined && !body.begun
    const took = isFirst ? this.#arrival!.writeFirst(body, bytes, from) : body.write(bytes, from)
    this.exchange.bytesOut += took
    this.isFull = body.blocked || took < bytes.byteLength
    if (body.done) this.#ended()
    else if (body.blocked) this.#keepAlive()
    else if (took < bytes.byteLength) this.#tryAgain()
    return took
  }

  postpone(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    whenCrowdsTurnComes(this)
  }

  queued(): number {
    const { over, context, socket } = this.exchange
    return over ? 0 : context.sockets.queued(socket)
  }

  isHere(): boolean {
    const { over, context, socket } = this.exchange
    return !over && context.sockets.isHere(socket)
  }

  hasArrived(): boolean {
    return this.exchange.bytesOut > 0 && this.#arrival?.hasBegun !== false
  }

  finish(): boolean {
    if (!this.#finish()) return false
    return this.#arrival === undefined || this.#arrival.await((isWhole) => this.#arrived(isWhole))
  }

  #arrived(isWhole: boolean): void {
    try {
      if (isWhole) this.#listener!.finished()
      else this.#listener!.left()
    } catch (error) {
      this.fault(error)
    }
    this.#arrival!.release()
  }

  #finish(): boolean {
    if (this.exchange.over) return true
    const body = this.#body!
    if (this.#writeFrom === undefined || body.blocked) {
      this.#finishing = true
      if (!body.blocked) this.#schedule()
      return false
    }
    if (this.request?.outlasts === true) return this.#finishAlone(body)
    if (!this.#requestIsRead) {
      this.exchange.closesBehind()
      this.request!.discard()
    }
    if (!body.end()) return this.#finishLater()
    this.#ended()
    return true
  }

  /** The exchange is over too, of whose response everything has left before. */
  endExchange(): void {
    this.#body!.end()
    this.#ended()
  }

  /** Without the helper the end waits for that of the request. In a callback it would overtake what is in uWebSockets' cork. */
  #finishAlone(body: ResponseBody): boolean {
    if (this.#writeFrom !== 'turn') return this.#finishLater(() => this.#schedule())
    if (!body.begun) body.begin()
    this.hasEndedAlone = body.endAlone?.() === true
    return this.hasEndedAlone || this.#finishLater()
  }

  #finishLater(again = () => this.#tryAgain()): false {
    this.#finishing = true
    again()
    return false
  }

  refuse(refusal: Refusal): void {
    this.#refusal = refusal
    this.#schedule()
  }

  abort(reason: EndReason, pipe: PipeView): void {
    this.#abortReason = reason
    this.#abortedPipe = pipe
    this.exchange.reason = reason
    // All of it has been written, and it does not count.
    if (this.exchange.over) this.#arrival?.abandon()
    else this.#schedule()
  }

  flush(): void {
    this.#scheduled = false
    if (this.exchange.over) return
    if (this.#refusal !== undefined) this.exchange.refuse(this.#refusal, this.options.accept, this.#after)
    else if (this.#abortReason !== undefined) this.#abort(this.#abortReason)
    else this.#carryOn('turn')
  }

  /** There was no room for the last bytes. */
  #tryAgain(): void {
    this.#backoff.retry(() => this.#schedule())
  }

  /** uWebSockets: the kernel takes bytes again. */
  #writable(): boolean {
    if (this.exchange.over) return true
    const body = this.#body!
    body.unblock()
    try {
      if (this.#abortReason === undefined) this.#carryOn('callback')
    } catch (error) {
      this.fault(error)
    }
    return !body.blocked
  }

  /** Sends what is due. */
  #carryOn(from: WriteFrom): void {
    this.#writeFrom = from
    try {
      if (!this.#finishing) this.#listener!.drained()
      if (!this.exchange.over) this.#closeOrBegin(from)
    } finally {
      this.#writeFrom = undefined
    }
  }

  #closeOrBegin(from: WriteFrom): void {
    const body = this.#body!
    if (this.#finishing && !body.blocked) {
      if (this.finish()) this.#listener!.finished()
    } else if (from === 'turn' && !body.begun) {
      body.begin()
    }
  }

  #abort(reason: EndReason): void {
    this.#release()
    if (this.#body?.begun) {
      this.options.onCut?.()
      this.exchange.cut()
    } else this.exchange.answer(endingAnswer(reason, this.#abortedPipe!, this.options.accept), this.#after)
    this.#arrival?.release()
  }

  get #after(): Persistence {
    return this.#requestIsRead ? 'keep' : 'discard'
  }

  #ended(): void {
    this.#release()
    this.exchange.ended()
  }

  /** The connection may take its next request. */
  #release(): void {
    this.#keepalive?.release()
  }

  #keepAlive(): void {
    // Not beside a request that is being read: it is kept open already, and may be paused.
    const { request, exchange } = this
    if (request === undefined) this.#keepalive ??= exchange.context.keepalive.add(this)
    if (request !== undefined && exchange.socket < 0) {
      this.#room ??= new PausedRoom(exchange, request, this.#body!, () => this.#schedule())
      this.#room.await()
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this)
  }
}
