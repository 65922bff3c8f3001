import type { HttpResponse } from 'uWebSockets.js'
import type { EndReason, Refusal } from '../../../core/index.js'
import type { RequestRecord } from '../../http/request-record.js'
import { type Answer, type HeaderList, statusWithReason } from '../../http/response/answer.js'
import { refusalAnswer } from '../../http/response/failure-answer.js'
import type { Persistence } from '../../http/response/persistence.js'
import type { ExchangeContext } from './context.js'
import { countsAsGone } from './half-close.js'
import { headerBytes } from './header-bytes.js'
import { rearm } from './keepalive.js'
import type { RequestHead } from './request-head.js'
import type { WebSocketUpgrade } from './websocket-upgrade.js'

const NONE: HeaderList = []

/** The role that an exchange was given. */
export interface ExchangeOwner {
  /** Its reading is paused. */
  readonly isPaused: boolean
  /** The client's connection ended before the response did. */
  gone(): void
  /** What has come of its body is still being taken, although its client's machine may be gone. */
  readonly outlivesClient?: boolean
  /**
   * The client has closed its side and may be gone, while its response is on its way. Sends it something, which it would answer
   * with a reset. False: there is nothing to send.
   */
  probe?(): boolean
  /** The same, in the middle of a response that may be silent for long, and every few seconds from then on. */
  probeBody?(): boolean
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
  readonly request: RequestHead['request']
  readonly framing: RequestHead['framing']
  /** The connection closes behind this response. */
  #closes: boolean
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
  #hasVanished = false
  onOver: ((record: RequestRecord) => void) | undefined
  onRefused: ((refusal: Refusal) => void) | undefined

  constructor(
    readonly id: number,
    readonly res: HttpResponse,
    readonly head: RequestHead,
    readonly context: ExchangeContext,
    readonly offer?: WebSocketUpgrade,
  ) {
    this.socket = context.sockets.currentSocket()
    this.#startedAt = context.clock.now()
    this.request = head.request
    this.framing = head.framing
    this.#closes = !head.keepsAlive
    if (head.isReadByHelper) context.exchanges[this.socket] = this
    context.peers.add(this.socket, this)
    this.#method = this.request.method
    this.#path = this.request.path
    this.clientAddress = context.clientAddressOf(this.request)
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
   * Makes the connection a WebSocket with messages of so many bytes, until `closed`. uWebSockets hands `data` back in each of its
   * callbacks. False when the client has gone, or has not asked for one.
   */
  upgrade<Data extends { readonly link: { cut(): void } }>(
    protocol: string,
    headers: HeaderList,
    data: Data,
    mostBytes: number,
  ): boolean {
    const { offer, res } = this
    const { sockets } = this.context
    if (this.over || offer === undefined) return false
    this.#webSocket = data.link
    res.cork(() => this.writeHead(101, headers))
    sockets.becomeWebSocket(this.socket, mostBytes)
    // Not in that cork, although uWebSockets warns of it on the standard error. At the end of a cork 20.57 takes the WebSocket for the
    // response still, if it has got the same memory, and closes it when bytes of it, read as the response's state, say so.
    sockets.quietly(() => res.upgrade<Data>(data, offer.key, protocol, '', offer.context))
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
    // Where the helper does not read requests, and the connection is to be closed, answer only after the read that brought the
    // request has been dealt with. uWebSockets goes on parsing what follows the request in the same read, and would take it for
    // the next one. While there is no answer, it closes the connection at the next request instead.
    if (after === 'close' && !this.head.isReadByHelper) setImmediate(() => this.#answer(answer, after))
    else this.#answer(answer, after)
  }

  #answer(answer: Answer, after: Persistence): void {
    if (this.over) return
    const { res } = this
    // The rest of the request is read and dropped from now on, which needs a socket that reads.
    if (this.#owner?.isPaused) rearm(res)
    if (after !== 'keep') this.lastOfConnection()
    res.cork(() => {
      this.writeHead(answer.status, answer.headers)
      // These have no body: a 204, which must not have a Content-Length either, a 304, and the answer to a HEAD.
      if (answer.status === 204 || answer.status === 304) res.endWithoutBody()
      else if (this.isHead) res.writeHeader('Content-Length', `${Buffer.byteLength(answer.body)}`).endWithoutBody()
      else res.end(answer.body, after === 'close' && !this.head.isReadByHelper)
    })
    this.endedWhole('answered', Buffer.byteLength(answer.body))
  }

  /**
   * Status line and headers. Only inside a cork of this response, or its own handler.
   * @param isDelimited the response has a length, or no body
   */
  writeHead(status: number, headers: HeaderList, isDelimited = true): void {
    this.#status = status
    let head = statusWithReason(status)
    for (const [name, value] of headers) head += `\r\n${name}: ${value}`
    for (const [name, value] of this.headersAlways) head += `\r\n${name}: ${value}`
    if (status !== 101) {
      // A client that knows no chunks finds the end of such a body by the end of the connection.
      if (this.head.isHttp10 && !isDelimited) this.#closes = true
      if (this.#closes) head += '\r\nConnection: close'
      else if (this.head.isHttp10) head += '\r\nConnection: keep-alive'
    }
    // uWebSockets writes what it is given as the status line, and a call for each header is a tenth of a short transfer.
    this.res.writeStatus(headerBytes(head))
  }

  /**
   * Before the head: nothing behind this request is read as a request (RFC 9112, section 9.6), and the response says so. The
   * rest of this one may still be read until the response is over. Over TLS uWebSockets does not look at the framing of what
   * is left then, so what it takes for the next request may be a part of the body.
   */
  closesBehind(): void {
    this.#closes = true
    this.context.onEarlyAnswer()
  }

  /** Before the head: the same, and what is still coming of this request is dropped. */
  lastOfConnection(): void {
    this.closesBehind()
    this.context.sockets.discard(this.socket)
  }

  /** Before the body is read: the client may wait for `100 Continue`. */
  inviteBody(): void {
    if (this.head.wantsContinue && this.bytesIn === 0) this.context.sockets.sendInterim(this.socket, 100)
  }

  probe(): void {
    if (this.#status === 0) this.context.sockets.sendInterim(this.socket, 102)
    else this.#owner?.probeBody?.()
  }

  /**
   * The client has closed its side after its request.
   * @param asked whether the helper has asked it by an interim response
   * @param early whether it had done so when its request was read
   */
  halfClosed(asked: boolean, early: boolean): void {
    if (this.over) return
    // Whoever did so together with its request has not done so because it has seen enough of the response.
    const isInnocent = early && !asked
    if (!isInnocent && this.#owner?.probe?.() === true) return
    if (asked || this.#owner?.probeBody?.() === true) {
      // The helper learns whether that drew a reset. The client may go later, too.
      this.context.keepalive.halfClosed.add(this)
      return
    }
    if (isInnocent) return
    const ms = this.context.clock.now() - this.#startedAt
    // HTTP/1.0 has no interim response by which it could be asked.
    if (countsAsGone(ms, this.#status === 0 || this.context.sockets.hasAcknowledged(this.socket))) this.res.close()
  }

  lookForMachine(silentMs: number): void {
    if (this.over || this.#owner?.outlivesClient === true) return
    if (!this.context.sockets.hasVanished(this.socket, silentMs)) return
    this.#hasVanished = true
    if (this.#webSocket !== undefined) this.#webSocket.cut()
    else this.res.close()
  }

  /** The whole response was written at once, and uWebSockets keeps what the client does not take. */
  endedWhole(outcome: 'answered' | 'complete', bytes: number): void {
    this.bytesOut = bytes
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
    // Without a length, and without chunks, its end would be that of the response.
    if (this.head.isHttp10) this.context.sockets.resetAtClose(this.socket)
    this.#finish('cut')
    this.res.close()
  }

  /** The socket is still this one's: a closed one is used again at once. */
  #release(outcome: string): void {
    const { exchanges, sockets } = this.context
    exchanges[this.socket] = undefined
    this.context.keepalive.halfClosed.delete(this)
    const isClosed = outcome === 'aborted' || outcome === 'cut' || this.#webSocket !== undefined
    if (!isClosed) sockets.responseIsOver(this.socket, this.#closes)
  }

  #finish(outcome: string): void {
    this.over = true
    this.context.peers.remove(this.socket)
    this.#owner?.over()
    if (this.head.isReadByHelper) this.#release(outcome)
    const record = {
      id: this.id,
      remoteAddress: this.clientAddress,
      method: this.#method,
      path: this.#path,
      status: this.#status,
      outcome: this.#hasVanished && outcome === 'aborted' ? 'vanished' : outcome,
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
