import type { BodyConsumer } from '../../stream/body-consumer.js'
import type { HttpExchange } from '../connection/http-exchange.js'
import { rearm } from '../connection/keepalive.js'

/** The most that is held while there is no consumer: more than a read brings. */
const MOST_HELD = 1024 * 1024

/** For a rest that nobody wants. */
const DISCARD: BodyConsumer = { feed() {}, end() {}, broken() {}, left() {}, fault() {} }

/** The role whose body it is. */
export interface RequestBodyOwner {
  /** The consumer threw. */
  failed(error: unknown): void
  /** Some of the body has arrived, or its end. */
  arrived?(): void
}

/** The body of a request. It is not read faster than it is consumed, and nothing is lost while there is no consumer yet. */
export class UwsRequestBody {
  /** What was last asked of uWebSockets. */
  isPaused = false
  /** The last byte has been read. */
  ended = false
  #consumer: BodyConsumer | undefined
  /** What the consumer wants. It starts paused. */
  #wantPause = true
  /** The helper checks the framing of the body. */
  #watched = false
  /** Its reads shall be long once it flows. */
  #isBulk = false
  /** Copies of what was read before there was a consumer. */
  readonly #held: ArrayBuffer[] = []

  constructor(
    readonly exchange: HttpExchange,
    readonly isChunked: boolean,
    readonly owner: RequestBodyOwner,
  ) {}

  /** In the handler: from here on no byte of the body is lost, and as few as possible are read. */
  listen(): void {
    const { exchange } = this
    // Over TLS the helper sees only what is encrypted.
    this.#watched = this.isChunked && exchange.head.isReadByHelper
    exchange.res.onData((chunk, last) => this.#read(chunk, last))
  }

  /** @param isThrottled a throttled body is read in small steps, which makes it flow smoothly */
  deliverTo(consumer: BodyConsumer, isThrottled: boolean): void {
    this.#consumer = consumer
    const { exchange } = this
    this.#isBulk = !this.#watched && !this.isChunked && !isThrottled
    if (!this.#watched && !this.ended) exchange.context.sockets.expectBulk(exchange.socket, false)
    if (!this.#wantPause) this.#expectBulk()
    if (!this.ended) exchange.inviteBody()
    for (const chunk of this.#release()) consumer.feed(new Uint8Array(chunk))
    if (this.ended) consumer.end()
  }

  /** Inside `onData` the pause follows once the chunk has been dealt with. */
  pause(): void {
    this.#wantPause = true
  }

  resume(): void {
    this.#wantPause = false
    this.#expectBulk()
    if (this.exchange.over || !this.isPaused) return
    this.isPaused = false
    rearm(this.exchange.res)
  }

  /** From here on reads may be long. What is read for somebody who only waits has to be held. */
  #expectBulk(): void {
    const { context, socket, over } = this.exchange
    if (!this.#isBulk || this.ended || over) return
    this.#isBulk = false
    context.sockets.expectBulk(socket, true)
  }

  /** Reads the rest and drops it. */
  discard(): void {
    this.#consumer = DISCARD
    this.resume()
  }

  /** The response is over. */
  over(): void {
    this.#release()
  }

  /** What is held, which counts no more. */
  #release(): ArrayBuffer[] {
    const held = this.#held.splice(0)
    for (const { byteLength } of held) this.exchange.context.memory.give(byteLength)
    return held
  }

  /** The client's connection ended before the response did. */
  gone(): void {
    const { context, socket } = this.exchange
    if (this.#watched && !context.sockets.bodyIsSound(socket)) this.#consumer?.broken()
    this.#consumer?.left()
  }

  fault(): void {
    this.#consumer?.fault()
  }

  #read(chunk: ArrayBuffer, last: boolean): void {
    const { exchange } = this
    // The request has been answered, and the rest of its body is dropped.
    if (exchange.over) {
      return
    }
    // Nothing of the read that broke it is passed on: it may be a byte of the helper's own, which calls for this.
    const isBroken = this.#watched && !exchange.context.sockets.bodyIsSound(exchange.socket)
    if (!isBroken) exchange.bytesIn += chunk.byteLength
    if (chunk.byteLength > 0 || last) this.owner.arrived?.()
    try {
      if (isBroken) this.#broke()
      else if (this.#consumer === undefined) this.#hold(chunk, last)
      else this.#feed(this.#consumer, chunk, last)
    } catch (error) {
      this.owner.failed(error)
    }
    if (exchange.over) return
    if (last) {
      // The end may come in the same read as the chunk that it was paused for. The next request comes this way too.
      this.resume()
      return
    }
    // In every call: uWebSockets re-arms its timer after 480 KiB, paused or not, and an earlier pause does not stop the
    // chunks that it has already read. A repeated pause costs no system call.
    if (this.#wantPause) {
      this.isPaused = true
      exchange.res.pause()
    }
  }

  #broke(): void {
    if (this.#consumer === undefined) this.exchange.cut()
    else this.#consumer.broken()
  }

  /** It is not decided yet who consumes the body, if anybody. What has been read is kept, and no more is read. */
  #hold(chunk: ArrayBuffer, last: boolean): void {
    const { exchange } = this
    // Without the helper a pause does not stop a fast sender on this host at once.
    if (exchange.bytesIn > MOST_HELD || !exchange.context.memory.take(chunk.byteLength)) {
      exchange.cut()
      return
    }
    if (chunk.byteLength > 0) this.#held.push(chunk.slice(0))
    this.ended = last
  }

  #feed(consumer: BodyConsumer, chunk: ArrayBuffer, last: boolean): void {
    const { context, socket } = this.exchange
    if (chunk.byteLength > 0) {
      consumer.feed(new Uint8Array(chunk))
      context.readSize.adapt()
    }
    if (last) {
      this.ended = true
      context.sockets.expectBulk(socket, false)
      consumer.end()
    }
  }
}
