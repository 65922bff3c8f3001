import type { EndReason, PipeView, SenderEvent, Source } from '../../../core/index.js'
import type { SourceOptions } from '../../router/exchange.js'
import type { BodyConsumer } from '../../stream/body-consumer.js'
import { UwsRequestBody } from '../body/request-body.js'
import type { ExchangeOwner, HttpExchange } from '../connection/http-exchange.js'
import type { KeepaliveEntry, KeepaliveTarget } from '../connection/keepalive.js'
import { StatusResponse } from './status-response.js'

/** The body of a request as a source, and its response as the stream of status lines. */
export class UwsSource implements Source, ExchangeOwner, KeepaliveTarget {
  readonly #body: UwsRequestBody
  readonly #response: StatusResponse
  #waiting = true
  /** Once it streams. */
  #pipe: PipeView | undefined
  #keepalive: KeepaliveEntry | undefined

  constructor(
    readonly exchange: HttpExchange,
    readonly options: SourceOptions,
  ) {
    this.#body = new UwsRequestBody(exchange, options.isChunked, {
      failed: (error) => this.fault(error),
      arrived: () => this.#response.releaseLines(),
    })
    this.#response = new StatusResponse(exchange, options, this.#body, {
      fault: (error) => this.fault(error),
      lastLineSent: () => this.#keepalive?.release(),
    })
  }

  get isPaused(): boolean {
    return this.#body.isPaused
  }

  /** The same as in `lookForPeer`. Once it is read on, its end is seen. */
  get outlivesClient(): boolean {
    return !this.#isAlone && this.isPaused
  }

  get res() {
    return this.exchange.res
  }

  /** It waits for receivers: before it streams, and when it is live and held back until a viewer comes. */
  get #isAlone(): boolean {
    return this.#waiting || this.#pipe?.live?.viewers === 0
  }

  joined(endpoint: BodyConsumer): void {
    this.#body.deliverTo(endpoint, this.options.additions?.limits?.throttles !== undefined)
  }

  /** In the handler. */
  listen(): void {
    this.#body.listen()
    // With this, uWebSockets leaves the response without a timer once backpressure is gone. But then it no longer sends what
    // is left in its buffer either; an empty cork does that.
    this.res.onWritable(() => {
      if (!this.exchange.over) this.res.cork(() => {})
      return true
    })
    this.#keepalive = this.exchange.context.keepalive.add(this)
    this.#response.holdLines()
  }

  over(): void {
    this.#keepalive?.release()
    this.#body.over()
  }

  gone(): void {
    this.#body.gone()
  }

  fault(error: unknown): void {
    this.exchange.context.onFault(error)
    this.#body.fault()
  }

  pause(): void {
    this.#body.pause()
  }

  resume(): void {
    this.#body.resume()
  }

  /**
   * A sender that is alone and has gone gives up its place. Once it streams to somebody, its last bytes may still be on their way,
   * and only reading them shows whether they are complete.
   */
  lookForPeer(): void {
    const { exchange } = this
    if (this.#isAlone && !exchange.over && exchange.context.sockets.peerIsGone(exchange.socket)) this.res.close()
  }

  /** Once it streams, whether the client is still there matters no more: all of its body has come. */
  probe(): boolean {
    return this.#response.probe() || !this.#waiting
  }

  notify(news: SenderEvent, pipe: PipeView): void {
    if (news === 'given_back') this.#waiting = true
    if (news === 'streaming') {
      this.#waiting = false
      this.#pipe = pipe
    }
    this.#response.notify(news, pipe)
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.#response.end(reason, pipe)
  }
}
