import type { HttpResponse } from 'uWebSockets.js'
import type { EndReason, Refusal } from '../../../core/index.js'
import type { RequestRecord } from '../../http/request-record.js'
import type { RequestView } from '../../http/request-view.js'
import { type Answer, type HeaderList, statusWithReason } from '../../http/response/answer.js'
import { refusalAnswer } from '../../http/response/failure-answer.js'
import type { Persistence } from '../../http/response/persistence.js'
import type { ExchangeContext } from './context.js'
import { headerBytes } from './header-bytes.js'
import { rearm } from './keepalive.js'
import type { WebSocketUpgrade } from './websocket-upgrade.js'

const NONE: HeaderList = []

/** About how large the head of an answer is. */
const HEAD_BYTES = 256

/** The role that an exchange was given. */
export interface ExchangeOwner {
  /** Its reading is paused. */
  readonly isPaused: boolean
  /** The client's connection ended before the response did. */
  gone(): void
  /** The response is over, in whatever way. Frees what was kept for it. */
  over(): void
  /** A callback of uWebSockets met a defect of the gateway. Must not throw. */
  fault(error: unknown): void
}

/**
 * One request and its response, and the only holder of uWebSockets' handle for them. uWebSockets throws when a finished
 * response is touched, and ends the whole process when a handler returns without an answer and without `onAborted`. This
 * class prevents both.
 */
export class HttpExchange {
  /** The response or its connection is over; `res` must not be touched any more. */
  over = false
  /** The socket below, for `context.sockets`. */
  readonly socket: number
  readonly #startedAt: number
  readonly #method: string
  readonly #path: string
  readonly clientAddress: string
  #owner: ExchangeOwner | undefined
  #webSocket: { cut(): void } | undefined
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
    readonly context: ExchangeContext,
    readonly offer?: WebSocketUpgrade,
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

  /** From here on this role hears what becomes of the exchange. */
  protected assign<Role extends ExchangeOwner>(role: Role): Role {
    this.#owner = role
    return role
  }

  /**
   * Makes the connection a WebSocket, until `closed`. uWebSockets hands `data` back in each of its callbacks. False when the
   * client has gone, or has not asked for one.
   */
  upgrade<Data extends { readonly link: { cut(): void } }>(protocol: string, headers: HeaderList, data: Data): boolean {
    const { offer, res } = this
    if (this.over || offer === undefined) return false
    this.#webSocket = data.link
    res.cork(() => {
      this.writeHead(101, headers)
      res.upgrade<Data>(data, offer.key, protocol, '', offer.context)
    })
    return true
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
    // If the connection is to be closed, answer only after the read that brought the request has been dealt with. uWebSockets
    // goes on parsing what follows the request in the same read, and would take it for the next one. While there is no
    // answer, it closes the connection at the next request instead.
    if (after === 'close') setImmediate(() => this.#answer(answer, after))
    else this.#answer(answer, after)
  }

  #answer(answer: Answer, after: Persistence): void {
    if (this.over) return
    const { res } = this
    // The rest of the request is read and dropped from now on, which needs a socket that reads.
    if (this.#owner?.isPaused) rearm(res)
    res.cork(() => {
      this.writeHead(answer.status, answer.headers)
      if (after === 'discard') this.announceClose()
      // These have no body: a 204, which must not have a Content-Length either, a 304, and the answer to a HEAD.
      if (answer.status === 204 || answer.status === 304) res.endWithoutBody()
      else if (this.isHead) res.writeHeader('Content-Length', `${Buffer.byteLength(answer.body)}`).endWithoutBody()
      else res.end(answer.body, after === 'close')
    })
    this.endedWhole('answered', Buffer.byteLength(answer.body))
  }

  /** Status line and headers. Only inside a cork of this response, or its own handler. */
  writeHead(status: number, headers: HeaderList): void {
    this.#status = status
    this.res.writeStatus(statusWithReason(status))
    this.#writeHeaders(headers)
    this.#writeHeaders(this.headersAlways)
  }

  #writeHeaders(headers: HeaderList): void {
    for (const [name, value] of headers) this.res.writeHeader(name, headerBytes(value))
  }

  /**
   * Writes `Connection: close`, together with the headers. What follows this request's body is not read as a request any
   * more: RFC 9112, section 9.6. uWebSockets drops the body without looking at its framing, so what it takes for the next
   * request may be a part of the body.
   */
  announceClose(): void {
    this.res.writeHeader('Connection', 'close')
    this.context.sockets.spend(this.socket)
    this.context.onEarlyAnswer()
  }

  /** The whole response was written at once, and uWebSockets keeps what the client does not take. */
  endedWhole(outcome: 'answered' | 'complete', bytes: number): void {
    this.bytesOut = bytes
    if (this.context.tls) this.context.sockets.countAnswer(this.socket, HEAD_BYTES + bytes)
    this.#finish(outcome)
  }

  /** The response has been ended; uWebSockets owns it from now on. */
  ended(): void {
    this.#finish('complete')
  }

  /** Cuts the connection, so that the client does not take the response for complete. */
  cut(): void {
    if (this.over) return
    if (this.#webSocket !== undefined) {
      this.#webSocket.cut()
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
