import { Refusal, type SideLimits } from '../../../core/index.js'
import { attempt, checkedReply } from '../../host/error-boundary.js'
import type { Reply, WebSocketPeer } from '../../host/plugin-api.js'
import { FAILURES } from '../../http/failures.js'
import type { Framing } from '../../http/framing.js'
import type { Answer, HeaderList } from '../../http/response/answer.js'
import { endingAnswer } from '../../http/response/failure-answer.js'
import type { Persistence } from '../../http/response/persistence.js'
import { validateHeaders } from '../../http/response/validation.js'
import type { SocketTerms } from '../../router/exchange.js'
import { UwsRequestBody } from '../body/request-body.js'
import type { ExchangeOwner, HttpExchange } from '../connection/http-exchange.js'
import type { KeepaliveEntry, KeepaliveTarget } from '../connection/keepalive.js'
import { CombinedThrottle } from './combined-throttle.js'
import { PluginBody, type PluginBodyOwner } from './plugin-body.js'
import { type ReplyHead, ReplyStream, type ReplyStreamOwner, soundHead } from './reply-stream.js'
import { PLUGIN_TERMS, UwsWebSocket } from './websocket.js'

/**
 * The response of a request that a plugin answers: a complete answer, a stream or a WebSocket. And the body of that request,
 * if the plugin wants it.
 */
export class UwsReply implements Reply, ExchangeOwner, KeepaliveTarget, PluginBodyOwner, ReplyStreamOwner {
  /** It was answered as a whole, or is a WebSocket. */
  #isGiven = false
  #stream: ReplyStream | undefined
  #drain: () => void = () => {}
  #over: () => void = () => {}
  #keepalive: KeepaliveEntry | undefined
  /** For both directions. */
  throttle: CombinedThrottle | undefined
  readonly #requestBody: UwsRequestBody | undefined
  /** The request's body. */
  readonly body: PluginBody

  /** @param framing of the request's body; without it the body is read and dropped */
  constructor(
    readonly exchange: HttpExchange,
    /** The client's `Accept`. */
    readonly wants: string,
    readonly after: Persistence,
    /** Reports what the plugin does wrong. */
    readonly failed: (error: unknown) => Refusal,
    framing?: Framing,
  ) {
    if (framing !== undefined && framing.length !== 0) {
      const isChunked = framing.length === undefined
      this.#requestBody = new UwsRequestBody(exchange, isChunked, { failed: (error) => this.failedMidStream(error) })
    }
    this.body = new PluginBody(framing?.length, this.#requestBody, this)
  }

  get res() {
    return this.exchange.res
  }

  get isPaused(): boolean {
    return this.#requestBody?.isPaused ?? false
  }

  get isOver(): boolean {
    return this.exchange.over || this.#isGiven || this.#stream?.isClosing === true
  }

  get kept(): number {
    return this.#stream?.kept ?? 0
  }

  /** In the handler: from here on the body of the request waits for its reader. */
  listen(): void {
    if (this.#requestBody === undefined) return
    this.#requestBody.listen()
    this.keepAlive()
  }

  /** The gates have let the request in: from here on the limits that they set hold. */
  limit(limits: SideLimits | undefined): void {
    const { throttles, totalMs, maxBytes } = limits ?? {}
    if (throttles !== undefined) this.throttle = new CombinedThrottle(throttles, () => this.#unthrottled())
    if (totalMs !== undefined) this.exchange.context.clock.after(totalMs, () => this.#tooLong())
    this.body.limit(maxBytes, this.throttle)
  }

  #unthrottled(): void {
    if (this.exchange.over) return
    this.body.unthrottled()
    this.#stream?.schedule()
  }

  #tooLong(): void {
    if (this.exchange.over) return
    this.exchange.reason = 'too_long'
    if (!this.give(endingAnswer('too_long', { endFailure: undefined }, this.wants))) this.cut()
  }

  accept(
    protocol: string,
    headers: HeaderList,
    peer: WebSocketPeer,
    terms: SocketTerms = PLUGIN_TERMS,
  ): UwsWebSocket | undefined {
    if (this.isOver || this.#stream !== undefined) return undefined
    let sound: HeaderList
    try {
      sound = validateHeaders(headers)
    } catch (error) {
      this.give(this.failed(error))
      return undefined
    }
    // What its client does not read would have to be kept, and half of the memory is in use.
    if (!this.exchange.context.memory.take(0, true)) {
      this.give(new Refusal(FAILURES.noMemory))
      return undefined
    }
    this.#isGiven = true
    const link = new UwsWebSocket(this.exchange, peer, this.failed, terms)
    return this.exchange.upgrade(protocol, sound, { link }, terms.mostBytes) ? link : undefined
  }

  give(answer: Answer | Refusal): boolean {
    if (this.isOver || this.#stream !== undefined) return false
    const sound = this.#sound(answer)
    this.#isGiven = true
    if (sound instanceof Refusal) this.exchange.refuse(sound, this.wants, this.#after)
    else this.exchange.answer(sound, this.#after)
    return true
  }

  #sound(answer: Answer | Refusal): Answer | Refusal {
    try {
      return checkedReply(answer)
    } catch (error) {
      return this.failed(error)
    }
  }

  open(status: number, headers: HeaderList, length?: number): boolean {
    if (this.isOver || this.#stream !== undefined) return false
    let head: ReplyHead
    try {
      head = soundHead(status, headers, length)
    } catch (error) {
      this.give(this.failed(error))
      return false
    }
    this.#stream = new ReplyStream(this.exchange, head, this)
    this.#stream.begin()
    return true
  }

  write(piece: string | Uint8Array): boolean {
    return !this.isOver && this.#stream?.write(piece) === true
  }

  close(): boolean {
    return !this.isOver && this.#stream?.close() === true
  }

  cut(): void {
    this.exchange.cut()
  }

  onDrain(run: () => void): void {
    this.#drain = run
  }

  drained(): void {
    attempt(this.#drain, (error) => this.failedMidStream(error))
  }

  /**
   * Not over TLS: there nothing may be written to one connection in a callback of another one, and this may be called from
   * anywhere.
   */
  sendNow(): void {
    if (!this.exchange.over && !this.exchange.context.tls) this.#stream?.sendNow()
  }

  onOver(run: () => void): void {
    this.#over = run
  }

  over(): void {
    this.#over()
    this.#keepalive?.release()
    this.#requestBody?.over()
    this.throttle?.release()
    this.#stream?.over()
  }

  gone(): void {}

  fault(error: unknown): void {
    this.exchange.context.onFault(error)
    this.cut()
  }

  /** Its reading is paused, and it would not be read further for a client that has gone. */
  lookForPeer(): void {
    const { exchange } = this
    if (!exchange.over && exchange.context.sockets.peerIsGone(exchange.socket)) this.res.close()
  }

  failedMidStream(error: unknown): false {
    this.failed(error)
    this.cut()
    return false
  }

  get #after(): Persistence {
    if (this.#requestBody === undefined) return this.after
    return this.#requestBody.ended ? 'keep' : 'discard'
  }

  get discardsRequest(): boolean {
    return this.#after === 'discard'
  }

  /** What is still coming of the request is dropped, which needs a socket that reads. */
  closing(): void {
    if (this.#requestBody?.ended === false) this.#requestBody.discard()
  }

  keepAlive(): void {
    this.#keepalive ??= this.exchange.context.keepalive.add(this)
  }
}
