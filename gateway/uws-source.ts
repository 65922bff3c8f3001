import type { EndReason, News, PipeView, SenderSeat, Source } from '../core/index.js'
import { endingCode, type HeaderList, retryAfter } from './answers.js'
import type { SourceOptions } from './exchange.js'
import { endingOf } from './failures.js'
import { endLine, newsLines } from './status-lines.js'
import type { ExchangeOwner, UwsExchange } from './uws-exchange.js'
import { rearm, type Timed, type Touched } from './uws-keepalive.js'
import { atEndOfTurn, type Flushable } from './uws-turn.js'

/** How long after the first half of a reminder its second half is sent. */
const PROBE_MS = 250
/** How long a failed sender is given to read why before its connection is cut. */
const LINGER_MS = 500
/**
 * How long the head is held back behind `100 Continue` when a proxy is in between, unless the body comes sooner. HAProxy 2.6,
 * when it reads both at once, ends the response with the upload, as if it were complete. Without a proxy both leave together:
 * `curl -T -` reads its standard input next, and as long as that is silent it reads nothing else.
 */
const AFTER_CONTINUE_MS = 50

const NO_CHUNK = new ArrayBuffer(0)
/** More than a read brings. */
const MOST_HELD = 1024 * 1024

/** Who is given the body: the sender's seat, or who finds the stream in it. */
export type BodyTaker = Pick<SenderSeat, 'feed' | 'end' | 'broken' | 'left' | 'fault'>

/** The body of a request as a source, and its response as the stream of status lines. */
export class UwsSource implements Source, Flushable, ExchangeOwner, Timed {
  #seat: BodyTaker | undefined
  /** What the core wants; a source starts paused. */
  #wantPause = true
  /** What uWebSockets was told last. */
  isPaused = false
  #bodyEnded = false
  /** Text not sent yet. With `replyAtEnd` it collects the whole response. */
  #lines = ''
  #waiting = true
  /** The last line has no line break yet. */
  #lineOpen = false
  #headSent = false
  /** No line leaves yet: see `AFTER_CONTINUE_MS`. */
  #linesHeld: boolean
  /** The helper follows the framing of the body. */
  #watched = false
  #scheduled = false
  #endReason: EndReason | undefined
  /** What `?reply=end` answers. */
  #status = 0
  #failed: HeaderList = []
  /** What was read before there was a seat. */
  #held: ArrayBuffer[] = []
  #heldLast = false
  #touched: Touched | undefined

  constructor(
    readonly exchange: UwsExchange,
    readonly options: SourceOptions,
  ) {
    this.#linesHeld = options.expectsContinue && options.throughProxy === true && !options.replyAtEnd
  }

  get #headers(): HeaderList {
    return [...this.options.headers, ...(this.options.more?.headers ?? [])]
  }

  get res() {
    return this.exchange.res
  }

  seated(seat: BodyTaker): void {
    this.#seat = seat
    const { exchange, options } = this
    // Whoever is throttled reads in small steps, which makes it smooth.
    const bulk = !options.isChunked && options.more?.limits?.throttles === undefined
    if (!this.#watched && !this.#heldLast) exchange.context.sockets.expectBulk(exchange.socket, bulk)
    for (const chunk of this.#held.splice(0)) seat.feed(new Uint8Array(chunk))
    if (this.#heldLast) seat.end()
  }

  /** In the handler: from here on no byte of the body is lost, and as few as possible are read. */
  listen(): void {
    const { exchange, options } = this
    // Over TLS the helper sees only what is encrypted.
    this.#watched = options.isChunked && !exchange.context.tls
    if (this.#watched) exchange.context.sockets.watchChunks(exchange.socket)
    this.res.onData((chunk, last) => this.#read(chunk, last))
    // With this, uWebSockets leaves the response without a timer once backpressure is gone; but then it also no longer
    // sends by itself what is left in its buffer, and an empty cork does that.
    this.res.onWritable(() => {
      if (!this.exchange.over) this.res.cork(() => {})
      return true
    })
    this.#touched = this.exchange.context.keepalive.add(this)
    if (this.#linesHeld) exchange.context.pulse.expect(AFTER_CONTINUE_MS, () => this.#releaseLines())
  }

  over(): void {
    this.#touched?.letGo()
    this.#held = []
  }

  gone(): void {
    const { context, socket } = this.exchange
    if (this.#watched && !context.sockets.chunksAreSound(socket, NO_CHUNK, false)) this.#seat?.broken()
    this.#seat?.left()
  }

  fault(error: unknown): void {
    this.exchange.context.onFault(error)
    this.#seat?.fault()
  }

  pause(): void {
    this.#wantPause = true
    // Inside onData the pause follows when the chunk has been dealt with.
  }

  resume(): void {
    this.#wantPause = false
    if (this.exchange.over || !this.isPaused) return
    this.isPaused = false
    rearm(this.res)
  }

  /**
   * A sender that waits and has gone gives up its place. Once it streams its last bytes may be on their way, and whether
   * they are all is found out by reading them.
   */
  lookForPeer(): void {
    const { exchange } = this
    if (this.#waiting && !exchange.over && exchange.context.sockets.peerIsGone(exchange.socket)) this.res.close()
  }

  tell(news: News, pipe: PipeView): void {
    if (news === 'streaming') this.#waiting = false
    const text = newsLines(news, pipe).join('\n')
    if (news === 'still_waiting') this.#remind(text)
    else this.#say(`${text}\n`)
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.#endReason = reason
    this.#status = endingOf(reason, pipe).status
    if (reason !== 'complete') this.#failed = [['X-Pipe-Code', endingCode(reason, pipe)]]
    this.exchange.reason = reason
    this.#say(`${endLine(reason, pipe)}\n`)
  }

  flush(): void {
    this.#scheduled = false
    if (this.exchange.over) return
    if (this.options.replyAtEnd) this.#answerAtEnd()
    else this.#writeLines()
  }

  #read(chunk: ArrayBuffer, last: boolean): void {
    // It has been answered, and the rest of the body is dropped.
    if (this.exchange.over) return
    this.exchange.bytesIn += chunk.byteLength
    if (chunk.byteLength > 0 || last) this.#releaseLines()
    try {
      if (this.#seat === undefined) this.#hold(chunk, last)
      else this.#feed(this.#seat, chunk, last)
    } catch (error) {
      this.fault(error)
    }
    if (this.exchange.over) return
    if (last) {
      // The end may come in the same read as the chunk that it was paused for. The next request comes this way too.
      this.resume()
      return
    }
    // In every call: uWebSockets re-arms its timer after 160 KiB, paused or not, and the pause of an earlier call does
    // not stop the chunks that it has already read. A repeated pause costs no system call.
    if (this.#wantPause) {
      this.isPaused = true
      this.res.pause()
    }
  }

  /** Nobody has decided yet whether this may be sent. What has been read already is kept, and no more is read. */
  #hold(chunk: ArrayBuffer, last: boolean): void {
    if (this.#watched && !this.exchange.context.sockets.chunksAreSound(this.exchange.socket, chunk, last)) {
      this.exchange.cut()
      return
    }
    if (chunk.byteLength > 0) this.#held.push(chunk.slice(0))
    this.#heldLast = last
    this.#bodyEnded = last
    // Without the helper a pause does not stop a fast sender on this host at once.
    if (this.exchange.bytesIn > MOST_HELD) this.exchange.cut()
  }

  #feed(seat: BodyTaker, chunk: ArrayBuffer, last: boolean): void {
    const { context, socket } = this.exchange
    if (this.#watched && !context.sockets.chunksAreSound(socket, chunk, last)) seat.broken()
    if (chunk.byteLength > 0) {
      seat.feed(new Uint8Array(chunk))
      context.readSize.adapt()
    }
    if (last) {
      this.#bodyEnded = true
      context.sockets.expectBulk(socket, false)
      seat.end()
    }
  }

  /**
   * Sends a reminder in two pieces, some time apart. A paused socket is not polled, so that a dead client is only
   * noticed by writing: the first write draws its reset, and the second one fails.
   */
  #remind(text: string): void {
    const { exchange, options } = this
    // Before the status nothing but an interim response can be sent, and not every client bears one it did not ask for.
    if (options.expectsContinue && !exchange.context.tls && options.replyAtEnd && !this.#bodyEnded) {
      exchange.context.sockets.sendContinue(exchange.socket)
    }
    this.#say(text)
    this.#lineOpen = true
    this.exchange.context.pulse.expect(PROBE_MS, () => {
      if (this.#lineOpen) this.#say('')
    })
  }

  #say(text: string): void {
    this.#lines += this.#lineOpen ? `\n${text}` : text
    this.#lineOpen = false
    if (!this.#linesHeld) this.#schedule()
  }

  #releaseLines(): void {
    if (!this.#linesHeld) return
    this.#linesHeld = false
    if (this.#lines !== '') this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this, 'status lines')
  }

  #writeLines(): void {
    const { exchange, res } = this
    const reason = this.#endReason
    const endCleanly = reason === 'complete' || (reason !== undefined && exchange.context.cleanFailures)
    const text = this.#lines
    this.#lines = ''
    exchange.bytesOut += text.length
    res.cork(() => {
      if (!this.#headSent) {
        this.#headSent = true
        exchange.writeHead(200, this.#headers)
      }
      // The client may have died: uWebSockets then calls onAborted from inside this write.
      if (text !== '') res.write(text)
      if (endCleanly && !exchange.over) res.end()
    })
    if (reason === undefined || exchange.over) return
    this.#touched?.letGo()
    if (endCleanly) exchange.ended()
    else this.#cut()
  }

  /**
   * Ends a failed response without its clean end. While the client still uploads, closing resets the connection, and a
   * client that learns of it by a failed write does not read on; so it gets time to read the line first.
   */
  #cut(): void {
    if (this.#bodyEnded) this.exchange.cut()
    else this.exchange.context.pulse.expect(LINGER_MS, () => this.exchange.cut())
  }

  #answerAtEnd(): void {
    if (this.#endReason === undefined) return
    this.#touched?.letGo()
    const status = this.#status
    const answer = { status, headers: [...this.#headers, ...this.#failed, ...retryAfter(status)], body: this.#lines }
    this.exchange.answer(answer, this.#bodyEnded ? 'keep' : 'discard')
  }
}
