import type { EndReason, PipeView, SenderEvent, Source } from '../../../core/index.js'
import type { SinkOptions, TwoWayOptions } from '../../router/exchange.js'
import type { BodyConsumer } from '../../stream/body-consumer.js'
import { UwsRequestBody } from '../body/request-body.js'
import type { ExchangeOwner, HttpExchange } from '../connection/http-exchange.js'
import type { KeepaliveEntry, KeepaliveTarget } from '../connection/keepalive.js'
import type { OwnRequest } from './own-request.js'
import { UwsSink } from './sink.js'

/**
 * One exchange with both roles: the body of its request is a source, and its response is a sink. Neither knows of the other but
 * for what they share, the connection: who reads it, who keeps it open, and what becomes of the one when the other is over.
 */
export class UwsTwoWay implements ExchangeOwner, KeepaliveTarget {
  readonly source: BodySource
  readonly sink: UwsSink
  #keepalive: KeepaliveEntry | undefined

  constructor(
    readonly exchange: HttpExchange,
    options: TwoWayOptions,
    sinkOptions: SinkOptions,
  ) {
    this.source = new BodySource(exchange, options, (reason) => this.#sourceEnded(reason))
    this.sink = new UwsSink(exchange, sinkOptions, this.source)
  }

  get res() {
    return this.exchange.res
  }

  get isPaused(): boolean {
    return this.source.isPaused
  }

  /** In the handler. */
  listen(): void {
    if (this.source.isRead) return
    this.source.listen()
    this.#keepalive = this.exchange.context.keepalive.add(this)
  }

  over(): void {
    this.#keepalive?.release()
    this.source.over()
    this.sink.over()
  }

  /** The response first: nobody is left who could be told how the request ended. */
  gone(): void {
    this.sink.gone()
    this.source.gone()
  }

  fault(error: unknown): void {
    this.sink.fault(error)
    this.source.fault()
  }

  /** What the client sent has come to its end. If its response had, nothing else ends the exchange. */
  #sourceEnded(reason: EndReason): void {
    const { exchange, sink } = this
    if (!sink.hasEndedAlone || exchange.over) return
    exchange.reason = reason
    if (reason === 'complete') sink.endExchange()
    else exchange.cut()
  }

  /** A client that closes its side behind its request may read on. */
  probeBody(): boolean {
    return this.sink.probeBody()
  }

  /** A paused connection is not polled, and whoever has gone wants no response. */
  lookForPeer(): void {
    const { exchange } = this
    if (!exchange.over && exchange.context.sockets.peerIsGone(exchange.socket)) this.res.close()
  }
}

/** The body of a request as a source without a response of its own. */
class BodySource implements Source, OwnRequest {
  /** Undefined: the request has none, or it is over and read. */
  #body: UwsRequestBody | undefined
  #options: TwoWayOptions | undefined
  #hasEnded = false
  #ended: ((reason: EndReason) => void) | undefined

  constructor(exchange: HttpExchange, options: TwoWayOptions, ended: (reason: EndReason) => void) {
    this.#options = options
    this.#ended = ended
    const { length } = options
    if (length === 0) return
    this.#body = new UwsRequestBody(exchange, length === undefined, {
      failed: (error) => {
        exchange.context.onFault(error)
        this.fault()
      },
    })
  }

  get isRead(): boolean {
    return this.#body?.ended !== false
  }

  get outlasts(): boolean {
    return this.#options?.halfCloses === true && !this.isRead && !this.#hasEnded
  }

  get isPaused(): boolean {
    return this.#body?.isPaused ?? false
  }

  listen(): void {
    this.#body?.listen()
  }

  joined(consumer: BodyConsumer): void {
    const body = this.#body
    if (body === undefined) {
      consumer.end()
      return
    }
    body.deliverTo(consumer, this.#options?.additions?.limits?.throttles !== undefined)
  }

  pause(): void {
    this.#body?.pause()
  }

  resume(): void {
    this.#body?.resume()
  }

  notify(_event: SenderEvent, _pipe: PipeView): void {}

  /**
   * Lets go of its transfer, and of its exchange. A worker's answer and its next question are one exchange: each would keep the one
   * before it alive for as long as the worker stays, and once one of them is old for V8, each would make the one behind it old.
   */
  end(reason: EndReason, pipe: PipeView): void {
    const onEnd = this.#options?.onEnd
    this.#hasEnded = true
    this.discard()
    if (this.isRead) {
      this.#body = undefined
      this.#options = undefined
    }
    const ended = this.#ended
    this.#ended = undefined
    onEnd?.(reason, pipe)
    ended?.(reason)
  }

  discard(): void {
    this.#body?.discard()
  }

  over(): void {
    this.#body?.over()
  }

  gone(): void {
    this.#body?.gone()
  }

  fault(): void {
    this.#body?.fault()
  }
}
