import type { HttpResponse } from 'uWebSockets.js'
import type { EndReason, Pulse, Refusal } from '../core/index.js'
import { type Answer, type HeaderList, refusalAnswer, statusLine } from './answers.js'
import type { AfterAnswer, Exchange, SinkOptions, SourceOptions } from './exchange.js'
import { FormSource } from './form-source.js'
import type { Framing } from './framing.js'
import type { ReadSize } from './read-size.js'
import type { RequestLog, RequestRecord } from './request-log.js'
import type { RequestView } from './request-view.js'
import { type Keepalive, rearm } from './uws-keepalive.js'
import { UwsReply } from './uws-reply.js'
import { isAscii } from './uws-request.js'
import { UwsSink } from './uws-sink.js'
import type { Sockets } from './uws-sockets.js'
import { UwsSource } from './uws-source.js'

const NONE: HeaderList = []

/** What all exchanges of one gateway share. */
export interface UwsContext {
  readonly pulse: Pulse
  readonly keepalive: Keepalive
  readonly sockets: Sockets
  readonly readSize: ReadSize
  readonly clientAddressOf: (request: RequestView) => string
  readonly log: RequestLog
  /** A defect of ours was caught; the exchange it happened in is ended by the caller. */
  readonly onFault: (error: unknown) => void
  /** Over TLS nothing may be written to another connection inside a callback. */
  readonly tls: boolean
  /** End a failed sender's response cleanly instead of cutting it. */
  readonly cleanFailures: boolean
}

/** The same, as the server hands it to its exchanges. */
export interface UwsServed extends UwsContext {
  /** A client has got its answer while it may still be uploading, and has to read it before its connection is closed. */
  readonly onEarlyAnswer: () => void
}

/** About what the head of an answer has. */
const HEAD_BYTES = 256

/** Whoever has taken on an exchange. */
export interface ExchangeOwner {
  /** Its reading is paused. */
  readonly isPaused: boolean
  /** The client's connection ended before the response did. */
  gone(): void
  /** The response is over, in whatever way: lets go of what was held for it. */
  over(): void
  /** A callback of uWebSockets met a defect of ours. Must not throw. */
  fault(error: unknown): void
}

/**
 * One uWebSockets response, and the only holder of its handle. uWebSockets throws when a finished response is touched,
 * and ends the whole process when a handler returns without an answer and without `onAborted`; both are seen to here.
 */
export class UwsExchange implements Exchange {
  /** The response or its connection is over; `res` must not be touched any more. */
  over = false
  /** The socket below, for `context.sockets`. */
  readonly socket: number
  readonly #startedAt: number
  readonly #method: string
  readonly #path: string
  readonly clientAddress: string
  #owner: ExchangeOwner | undefined
  #status = 0
  /** Body bytes received and sent, for the log. */
  bytesIn = 0
  bytesOut = 0
  /** What the core said when it ended this side. */
  reason: EndReason | undefined
  code: string | undefined
  headersAlways: HeaderList = NONE
  onOver: ((record: RequestRecord) => void) | undefined
  onRefused: ((refusal: Refusal) => void) | undefined

  constructor(
    readonly id: number,
    readonly res: HttpResponse,
    readonly request: RequestView,
    readonly context: UwsServed,
  ) {
    this.socket = context.sockets.currentSocket()
    this.#startedAt = context.pulse.now()
    this.#method = request.method
    this.#path = request.path
    this.clientAddress = context.clientAddressOf(request)
    res.onAborted(() => {
      if (this.over) return
      this.#finish('aborted')
      try {
        this.#owner?.gone()
      } catch (error) {
        this.#owner?.fault(error)
      }
    })
  }

  /** The response has a head only. */
  get isHead(): boolean {
    return this.#method === 'HEAD'
  }

  refuse(refusal: Refusal, accept: string, after: AfterAnswer = 'keep'): void {
    this.code = refusal.failure.code
    this.onRefused?.(refusal)
    this.answer(refusalAnswer(refusal, accept), after)
  }

  answer(answer: Answer, after: AfterAnswer = 'keep'): void {
    // A connection that is to be closed is answered when the read that brought the request has been dealt with: what
    // stands behind the request in the same read would otherwise be taken for the next one. While an answer is missing,
    // uWebSockets closes the connection at the next request.
    if (after === 'close') setImmediate(() => this.#answer(answer, after))
    else this.#answer(answer, after)
  }

  #answer(answer: Answer, after: AfterAnswer): void {
    if (this.over) return
    const { res } = this
    // What is still coming is read and dropped from now on, which needs a socket that reads.
    if (this.#owner?.isPaused) rearm(res)
    res.cork(() => {
      this.writeHead(answer.status, answer.headers)
      if (after === 'discard') this.announceClose()
      // These have no body: a 204, which must not have a Content-Length either, a 304, and what answers a HEAD.
      if (answer.status === 204 || answer.status === 304) res.endWithoutBody()
      else if (this.isHead) res.writeHeader('Content-Length', `${Buffer.byteLength(answer.body)}`).endWithoutBody()
      else res.end(answer.body, after === 'close')
    })
    this.bytesOut = Buffer.byteLength(answer.body)
    if (this.context.tls) this.context.sockets.countAnswer(this.socket, HEAD_BYTES + this.bytesOut)
    this.#finish('answered')
  }

  toSource(options: SourceOptions): UwsSource | FormSource {
    const source = new UwsSource(this, options)
    this.#owner = source
    source.listen()
    return options.form === undefined ? source : new FormSource(source, options.form, this.context.pulse)
  }

  toReply(accept: string, after: AfterAnswer, failed: (error: unknown) => Refusal, framing?: Framing): UwsReply {
    const reply = new UwsReply(this, accept, after, failed, framing)
    this.#owner = reply
    reply.listen()
    return reply
  }

  toSink(options: SinkOptions): UwsSink {
    const sink = new UwsSink(this, options)
    this.#owner = sink
    return sink
  }

  /** Status line and headers. Only inside a cork of this response, or its own handler. */
  writeHead(status: number, headers: HeaderList): void {
    this.#status = status
    this.res.writeStatus(statusLine(status))
    this.#writeHeaders(headers)
    this.#writeHeaders(this.headersAlways)
  }

  #writeHeaders(headers: HeaderList): void {
    // A string leaves as UTF-8, and a header's bytes must stay as they came.
    for (const [name, value] of headers) {
      this.res.writeHeader(name, isAscii(value) ? value : Buffer.from(value, 'latin1'))
    }
  }

  /**
   * What stands behind this request's body is not read as a request any more: RFC 9112, section 9.6. uWebSockets drops the
   * body without looking at its framing, so what it takes for the next request may be a part of it. With the headers.
   */
  announceClose(): void {
    this.res.writeHeader('Connection', 'close')
    this.context.sockets.spend(this.socket)
    this.context.onEarlyAnswer()
  }

  /** The response has been ended; uWebSockets owns it from now on. */
  ended(): void {
    this.#finish('complete')
  }

  /** Cuts the connection, so that nobody takes the response for complete. */
  cut(): void {
    if (this.over) return
    this.#finish('cut')
    this.res.close()
  }

  #finish(outcome: string): void {
    this.over = true
    this.#owner?.over()
    const record = {
      id: this.id,
      remoteAddress: this.clientAddress,
      method: this.#method,
      path: this.#path,
      status: this.#status,
      outcome,
      reason: this.reason,
      code: this.code,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      ms: Math.round(this.context.pulse.now() - this.#startedAt),
    }
    this.context.log(record)
    this.onOver?.(record)
  }
}
