import type { EndReason, SenderEvent, PipeView, Source } from '../../core/index.js'
import { type HeaderList, retryAfter } from '../http/response/answer.js'
import { endingCode, endingOf } from '../http/response/endings.js'
import { endLine, newsLines } from '../http/response/sender-lines.js'
import type { SourceOptions } from '../router/exchange.js'
import type { BodyConsumer } from '../stream/body-consumer.js'
import type { ExchangeOwner, UwsExchange } from './exchange.js'
import type { Timed, Touched } from './keepalive.js'
import { atEndOfTurn, type Flushable } from './turn.js'
import { UwsUpload } from './upload.js'

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

/** The body of a request as a source, and its response as the stream of status lines. */
export class UwsSource implements Source, Flushable, ExchangeOwner, Timed {
  readonly #upload: UwsUpload
  /** Text not sent yet. With `replyAtEnd` it collects the whole response. */
  #lines = ''
  #waiting = true
  /** The last line has no line break yet. */
  #lineOpen = false
  #headSent = false
  /** No line leaves yet: see `AFTER_CONTINUE_MS`. */
  #linesHeld: boolean
  #scheduled = false
  #endReason: EndReason | undefined
  /** What `?reply=end` answers. */
  #status = 0
  #failed: HeaderList = []
  #touched: Touched | undefined

  constructor(
    readonly exchange: UwsExchange,
    readonly options: SourceOptions,
  ) {
    this.#linesHeld = options.expectsContinue && options.throughProxy === true && !options.replyAtEnd
    this.#upload = new UwsUpload(exchange, options.isChunked, {
      failed: (error) => this.fault(error),
      came: () => this.#releaseLines(),
    })
  }

  get isPaused(): boolean {
    return this.#upload.isPaused
  }

  get #headers(): HeaderList {
    return [...this.options.headers, ...(this.options.additions?.headers ?? [])]
  }

  get res() {
    return this.exchange.res
  }

  joined(endpoint: BodyConsumer): void {
    this.#upload.give(endpoint, this.options.additions?.limits?.throttles !== undefined)
  }

  /** In the handler. */
  listen(): void {
    this.#upload.listen()
    // With this, uWebSockets leaves the response without a timer once backpressure is gone; but then it also no longer
    // sends by itself what is left in its buffer, and an empty cork does that.
    this.res.onWritable(() => {
      if (!this.exchange.over) this.res.cork(() => {})
      return true
    })
    this.#touched = this.exchange.context.keepalive.add(this)
    if (this.#linesHeld) this.exchange.context.clock.after(AFTER_CONTINUE_MS, () => this.#releaseLines())
  }

  over(): void {
    this.#touched?.letGo()
    this.#upload.over()
  }

  gone(): void {
    this.#upload.gone()
  }

  fault(error: unknown): void {
    this.exchange.context.onFault(error)
    this.#upload.fault()
  }

  pause(): void {
    this.#upload.pause()
  }

  resume(): void {
    this.#upload.resume()
  }

  /**
   * A sender that waits and has gone gives up its place. Once it streams its last bytes may be on their way, and whether
   * they are all is found out by reading them.
   */
  lookForPeer(): void {
    const { exchange } = this
    if (this.#waiting && !exchange.over && exchange.context.sockets.peerIsGone(exchange.socket)) this.res.close()
  }

  notify(news: SenderEvent, pipe: PipeView): void {
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

  /**
   * Sends a reminder in two pieces, some time apart. A paused socket is not polled, so that a dead client is only
   * noticed by writing: the first write draws its reset, and the second one fails.
   */
  #remind(text: string): void {
    const { exchange, options } = this
    // Before the status nothing but an interim response can be sent, and not every client bears one it did not ask for.
    if (options.expectsContinue && !exchange.context.tls && options.replyAtEnd && !this.#upload.ended) {
      exchange.context.sockets.sendContinue(exchange.socket)
    }
    this.#say(text)
    this.#lineOpen = true
    this.exchange.context.clock.after(PROBE_MS, () => {
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
    if (this.#upload.ended) this.exchange.cut()
    else this.exchange.context.clock.after(LINGER_MS, () => this.exchange.cut())
  }

  #answerAtEnd(): void {
    if (this.#endReason === undefined) return
    this.#touched?.letGo()
    const status = this.#status
    const answer = { status, headers: [...this.#headers, ...this.#failed, ...retryAfter(status)], body: this.#lines }
    this.exchange.answer(answer, this.#upload.ended ? 'keep' : 'discard')
  }
}
