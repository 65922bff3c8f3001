import type { SenderSeat } from '../../core/index.js'
import type { UwsExchange } from './exchange.js'
import { rearm } from './keepalive.js'

const NO_CHUNK = new ArrayBuffer(0)
/** More than a read brings. */
const MOST_HELD = 1024 * 1024

/** Who is given the body: the sender's seat, who finds the stream in it, or a plugin. */
export type BodyTaker = Pick<SenderSeat, 'feed' | 'end' | 'broken' | 'left' | 'fault'>

/** Nobody wants the rest. */
const NOBODY: BodyTaker = { feed() {}, end() {}, broken() {}, left() {}, fault() {} }

/** Whose body it is. */
export interface UploadOwner {
  /** The taker threw. */
  failed(error: unknown): void
  /** Some of the body has come, or its end. */
  came?(): void
}

/** The body of a request: nothing is read faster than it is taken, and nothing is lost before somebody takes it. */
export class UwsUpload {
  /** What uWebSockets was told last. */
  isPaused = false
  /** The last byte has been read. */
  ended = false
  #taker: BodyTaker | undefined
  /** What the taker wants; it starts paused. */
  #wantPause = true
  /** The helper follows the framing of the body. */
  #watched = false
  /** What was read before there was a taker. */
  #held: ArrayBuffer[] = []

  constructor(
    readonly exchange: UwsExchange,
    readonly isChunked: boolean,
    readonly owner: UploadOwner,
  ) {}

  /** In the handler: from here on no byte of the body is lost, and as few as possible are read. */
  listen(): void {
    const { exchange } = this
    // Over TLS the helper sees only what is encrypted.
    this.#watched = this.isChunked && !exchange.context.tls
    if (this.#watched) exchange.context.sockets.watchChunks(exchange.socket)
    exchange.res.onData((chunk, last) => this.#read(chunk, last))
  }

  /** @param isThrottled whoever is throttled reads in small steps, which makes it smooth */
  give(taker: BodyTaker, isThrottled: boolean): void {
    this.#taker = taker
    const { exchange } = this
    if (!this.#watched && !this.ended) {
      exchange.context.sockets.expectBulk(exchange.socket, !this.isChunked && !isThrottled)
    }
    for (const chunk of this.#held.splice(0)) taker.feed(new Uint8Array(chunk))
    if (this.ended) taker.end()
  }

  /** Inside onData the pause follows when the chunk has been dealt with. */
  pause(): void {
    this.#wantPause = true
  }

  resume(): void {
    this.#wantPause = false
    if (this.exchange.over || !this.isPaused) return
    this.isPaused = false
    rearm(this.exchange.res)
  }

  /** Reads the rest and drops it. */
  drop(): void {
    this.#taker = NOBODY
    this.resume()
  }

  /** The response is over. */
  over(): void {
    this.#held = []
  }

  /** The client's connection ended before the response did. */
  gone(): void {
    const { context, socket } = this.exchange
    if (this.#watched && !context.sockets.chunksAreSound(socket, NO_CHUNK, false)) this.#taker?.broken()
    this.#taker?.left()
  }

  fault(): void {
    this.#taker?.fault()
  }

  #read(chunk: ArrayBuffer, last: boolean): void {
    const { exchange } = this
    // It has been answered, and the rest of the body is dropped.
    if (exchange.over) return
    exchange.bytesIn += chunk.byteLength
    if (chunk.byteLength > 0 || last) this.owner.came?.()
    try {
      if (this.#taker === undefined) this.#hold(chunk, last)
      else this.#feed(this.#taker, chunk, last)
    } catch (error) {
      this.owner.failed(error)
    }
    if (exchange.over) return
    if (last) {
      // The end may come in the same read as the chunk that it was paused for. The next request comes this way too.
      this.resume()
      return
    }
    // In every call: uWebSockets re-arms its timer after 480 KiB, paused or not, and the pause of an earlier call does
    // not stop the chunks that it has already read. A repeated pause costs no system call.
    if (this.#wantPause) {
      this.isPaused = true
      exchange.res.pause()
    }
  }

  /** Nobody has decided yet whether this may be sent. What has been read already is kept, and no more is read. */
  #hold(chunk: ArrayBuffer, last: boolean): void {
    const { exchange } = this
    if (this.#watched && !exchange.context.sockets.chunksAreSound(exchange.socket, chunk, last)) {
      exchange.cut()
      return
    }
    if (chunk.byteLength > 0) this.#held.push(chunk.slice(0))
    this.ended = last
    // Without the helper a pause does not stop a fast sender on this host at once.
    if (exchange.bytesIn > MOST_HELD) exchange.cut()
  }

  #feed(taker: BodyTaker, chunk: ArrayBuffer, last: boolean): void {
    const { context, socket } = this.exchange
    if (this.#watched && !context.sockets.chunksAreSound(socket, chunk, last)) taker.broken()
    if (chunk.byteLength > 0) {
      taker.feed(new Uint8Array(chunk))
      context.readSize.adapt()
    }
    if (last) {
      this.ended = true
      context.sockets.expectBulk(socket, false)
      taker.end()
    }
  }
}
