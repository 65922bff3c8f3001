import type { HttpResponse, us_socket_context_t } from 'uWebSockets.js'
import type { Clock, EndReason, Refusal } from '../../core/index.js'
import type { WebSocketPeer } from '../host/plugin-api.js'
import type { Framing } from '../http/framing.js'
import type { RequestLog, RequestRecord } from '../http/request-record.js'
import type { RequestView } from '../http/request-view.js'
import { type Answer, type HeaderList, statusWithReason } from '../http/response/answer.js'
import { refusalAnswer } from '../http/response/failure-answer.js'
import type { Persistence } from '../http/response/persistence.js'
import type { ReadSize } from '../native/read-size.js'
import type { Sockets } from '../native/sockets.js'
import type { Exchange, SinkOptions, SourceOptions } from '../router/exchange.js'
import { FormSource } from '../stream/form-source.js'
import { type Keepalive, rearm } from './keepalive.js'
import { UwsReply } from './reply.js'
import { isAscii } from './request.js'
import { UwsSink } from './sink.js'
import { UwsSource } from './source.js'
import { type Carried, UwsWebSocket } from './websocket.js'

const NONE: HeaderList = []

/** What all exchanges of one gateway share. */
export interface UwsContext {
  readonly clock: Clock
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

/** A client that asks for a WebSocket. */
export interface UwsOffer {
  /** Its `Sec-WebSocket-Key`. */
  readonly key: string
  /** Subprotocols that it speaks. */
  readonly protocols: readonly string[]
  readonly context: us_socket_context_t
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
  #link: UwsWebSocket | undefined
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
    readonly offer?: UwsOffer,
  ) {
    this.socket = context.sockets.currentSocket()
    this.#startedAt = context.clock.now()
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

  /** The connection is a WebSocket from here on, until `closed`. Undefined when the client has gone. */
  accept(
    protocol: string,
    headers: HeaderList,
    peer: WebSocketPeer,
    failed: (error: unknown) => void,
  ): UwsWebSocket | undefined {
    const { offer, res } = this
    if (this.over || offer === undefined) return undefined
    const link = new UwsWebSocket(this, peer, failed)
    this.#link = link
    res.cork(() => {
      this.writeHead(101, headers)
      res.upgrade<Carried>({ link }, offer.key, protocol, '', offer.context)
    })
    return link
  }

  /** The WebSocket has been closed. */
  closed(outcome: string): void {
    if (!this.over) this.#finish(outcome)
  }

  /** The response has a head only. */
  get isHead(): boolean {
    return this.#method === 'HEAD'
  }

  refuse(refusal: Refusal, accept: string, after: Persistence = 'keep'): void {
    this.code = refusal.failure.code
    this.onRefused?.(refusal)
    this.answer(refusalAnswer(refusal, accept), after)
  }

  answer(answer: Answer, after: Persistence = 'keep'): void {
    // A connection that is to be closed is answered when the read that brought the request has been dealt with: what
    // stands behind the request in the same read would otherwise be taken for the next one. While an answer is missing,
    // uWebSockets closes the connection at the next request.
    if (after === 'close') setImmediate(() => this.#answer(answer, after))
    else this.#answer(answer, after)
  }

  #answer(answer: Answer, after: Persistence): void {
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
    this.gave('answered', Buffer.byteLength(answer.body))
  }

  toSource(options: SourceOptions): UwsSource | FormSource {
    const source = new UwsSource(this, options)
    this.#owner = source
    source.listen()
    return options.form === undefined ? source : new FormSource(source, options.form, this.context.clock)
  }

  toReply(accept: string, after: Persistence, failed: (error: unknown) => Refusal, framing?: Framing): UwsReply {
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
    this.res.writeStatus(statusWithReason(status))
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

  /** A response has been given whole, and uWebSockets keeps what the client does not take. */
  gave(outcome: 'answered' | 'complete', bytes: number): void {
    this.bytesOut = bytes
    if (this.context.tls) this.context.sockets.countAnswer(this.socket, HEAD_BYTES + bytes)
    this.#finish(outcome)
  }

  /** The response has been ended; uWebSockets owns it from now on. */
  ended(): void {
    this.#finish('complete')
  }

  /** Cuts the connection, so that nobody takes the response for complete. */
  cut(): void {
    if (this.over) return
    if (this.#link !== undefined) {
      this.#link.cut()
      return
    }
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
      ms: Math.round(this.context.clock.now() - this.#startedAt),
    }
    this.context.log(record)
    this.onOver?.(record)
  }
}
