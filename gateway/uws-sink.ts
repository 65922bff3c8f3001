import type { BorrowedBytes, EndReason, PipeView, ReceiverSeat, Sink, StreamHead } from '../core/index.js'
import { endingAnswer, type HeaderList } from './answers.js'
import type { SinkOptions } from './exchange.js'
import { ChunkedBody, LengthBody, type ResponseBody } from './uws-body.js'
import type { GoneListener, UwsExchange } from './uws-exchange.js'
import type { Timed } from './uws-keepalive.js'
import { atEndOfTurn, type Flushable } from './uws-turn.js'

/** The response of a request as a sink. */
export class UwsSink implements Sink, Flushable, GoneListener, Timed {
  /** A receiver is never left paused. */
  readonly isPaused = false
  #seat: ReceiverSeat | undefined
  #body: ResponseBody | undefined
  #headers: HeaderList = []
  #headSent = false
  #scheduled = false
  /** Writing to this response now is cheap and safe: its own cork or callback is running. */
  #mayWrite = false
  #finishing = false
  #abortReason: EndReason | undefined
  #timed = false

  constructor(
    readonly exchange: UwsExchange,
    readonly options: SinkOptions,
  ) {}

  get res() {
    return this.exchange.res
  }

  seated(seat: ReceiverSeat): void {
    this.#seat = seat
  }

  gone(): void {
    this.exchange.context.keepalive.delete(this)
    this.#seat?.left()
  }

  begin(head: StreamHead, pipe: PipeView): void {
    const { res } = this
    this.#headers = this.options.headers(head, pipe.transferId)
    this.#body = head.length === undefined ? new ChunkedBody(res) : new LengthBody(res, head.length)
    res.onWritable(() => this.#writable())
    this.#schedule()
  }

  write(bytes: BorrowedBytes): number {
    const body = this.#body!
    if (this.exchange.over || this.#abortReason !== undefined || body.blocked) return 0
    if (!this.#mayWrite && (!this.#headSent || this.exchange.context.tls || body.wantsCork(bytes.byteLength))) {
      this.#schedule()
      return 0
    }
    if (!this.#headSent) this.#sendHead()
    const took = body.write(bytes)
    this.exchange.bytesOut += took
    if (body.done) this.#ended()
    else if (body.blocked) this.#keepAlive()
    return took
  }

  finish(): boolean {
    if (this.exchange.over) return true
    const body = this.#body!
    if (!this.#mayWrite || body.blocked) {
      this.#finishing = true
      if (!body.blocked) this.#schedule()
      return false
    }
    if (!this.#headSent) this.#sendHead()
    body.end()
    this.#ended()
    return true
  }

  abort(reason: EndReason): void {
    this.#abortReason = reason
    this.#schedule()
  }

  flush(): void {
    this.#scheduled = false
    if (this.exchange.over) return
    if (this.#abortReason !== undefined) this.#abort(this.#abortReason)
    else this.res.cork(() => this.#carryOn())
  }

  /** uWebSockets: the kernel takes bytes again. */
  #writable(): boolean {
    if (this.exchange.over) return true
    const body = this.#body!
    body.unblock()
    if (this.#finishing || this.#abortReason !== undefined) {
      // What uWebSockets still holds goes out first: it does not send that by itself while onWritable is set.
      this.#schedule()
      return true
    }
    this.#carryOn()
    return !body.blocked
  }

  /** Inside this response's own cork or callback: sends what is due. */
  #carryOn(): void {
    this.#mayWrite = true
    const seat = this.#seat!
    const body = this.#body!
    if (!this.#finishing) seat.drained()
    if (!this.exchange.over && this.#finishing && !body.blocked) {
      if (this.finish()) seat.finished()
    } else if (!this.exchange.over && !this.#headSent && body.headMayGoFirst) {
      this.#sendHead()
      body.sendHead()
    }
    this.#mayWrite = false
  }

  #sendHead(): void {
    this.#headSent = true
    this.exchange.writeHead(200, this.#headers)
  }

  #abort(reason: EndReason): void {
    this.exchange.context.keepalive.delete(this)
    if (this.#headSent) this.exchange.cut()
    else this.exchange.answer(endingAnswer(reason, this.options.accept))
  }

  #ended(): void {
    this.exchange.context.keepalive.delete(this)
    this.exchange.ended()
  }

  #keepAlive(): void {
    if (this.#timed) return
    this.#timed = true
    this.exchange.context.keepalive.add(this)
  }

  #schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this)
  }
}
