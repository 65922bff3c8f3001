import type { EndReason, PipeView, SenderEvent } from '../../../core/index.js'
import { type HeaderList, retryAfter } from '../../http/response/answer.js'
import { endingCode, endingOf } from '../../http/response/endings.js'
import { endLine, newsLines } from '../../http/response/sender-lines.js'
import type { SourceOptions } from '../../router/exchange.js'
import type { UwsRequestBody } from '../body/request-body.js'
import { atEndOfTurn, type Flushable } from '../connection/end-of-turn.js'
import type { HttpExchange } from '../connection/http-exchange.js'

/** How long after the first half of a reminder its second half is sent. */
const PROBE_MS = 250
/** How long a failed sender is given to read the reason before its connection is cut. */
const LINGER_MS = 500
/**
 * How long the head is held back after `100 Continue` when there is a proxy in between, unless the body comes sooner. HAProxy
 * 2.6, when it reads both at once, ends the response together with the upload, as if it were complete. Without a proxy both
 * leave together: `curl -T -` reads its standard input next, and while that is silent it reads nothing else.
 */
const AFTER_CONTINUE_MS = 50

export interface StatusResponseOwner {
  /** A defect of the gateway was met. Must not throw. */
  fault(error: unknown): void
  /** The response needs no keepalive any more. */
  lastLineSent(): void
}

/**
 * The response to a sender: a stream of status lines, or with `?reply=end`, and to HTTP/1.0, one answer that has them all.
 * HTTP/1.0 has no chunks, and Piping Server answers it so.
 */
export class StatusResponse implements Flushable {
  readonly #replyAtEnd: boolean
  /** Text not sent yet. With `#replyAtEnd` it collects the whole response. */
  #lines = ''
  /** The last line has no line break yet. */
  #lineOpen = false
  #headSent = false
  /** No line leaves yet: see `AFTER_CONTINUE_MS`. */
  #linesHeld: boolean
  #scheduled = false
  #endReason: EndReason | undefined
  /** What the last line was about. */
  #pipe: PipeView | undefined
  /** What one answer at the end says. */
  #status = 0
  #failureHeaders: HeaderList = []

  constructor(
    readonly exchange: HttpExchange,
    readonly options: SourceOptions,
    /** The body of the same request. */
    readonly body: UwsRequestBody,
    readonly owner: StatusResponseOwner,
  ) {
    this.#replyAtEnd = options.replyAtEnd || exchange.head.isHttp10
    this.#linesHeld = options.expectsContinue && options.throughProxy === true && !this.#replyAtEnd
  }

  get #headers(): HeaderList {
    return [...this.options.headers, ...(this.options.additions?.headers ?? [])]
  }

  /** In the handler. */
  holdLines(): void {
    if (this.#linesHeld) this.exchange.context.clock.after(AFTER_CONTINUE_MS, () => this.releaseLines())
  }

  releaseLines(): void {
    if (!this.#linesHeld) return
    this.#linesHeld = false
    if (this.#lines !== '') this.#schedule()
  }

  notify(news: SenderEvent, pipe: PipeView): void {
    this.#pipe = pipe
    const lines = newsLines(news, pipe)
    if (news === 'still_waiting') this.#remind(lines.join('\n'))
    else if (lines.length > 0) this.#append(`${lines.join('\n')}\n`)
  }

  /** Sends a reminder now: a client that has gone answers it with a reset. */
  probe(): boolean {
    if (this.#replyAtEnd || this.#pipe?.state !== 'waiting') return false
    this.#remind(newsLines('still_waiting', this.#pipe).join('\n'))
    return true
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.#endReason = reason
    this.#status = endingOf(reason, pipe).status
    if (reason !== 'complete') this.#failureHeaders = [['X-Pipe-Code', endingCode(reason, pipe)]]
    this.exchange.reason = reason
    this.#append(`${endLine(reason, pipe)}\n`)
  }

  flush(): void {
    this.#scheduled = false
    if (this.exchange.over) return
    if (this.#replyAtEnd) this.#answerAtEnd()
    else this.#writeLines()
  }

  fault(error: unknown): void {
    this.owner.fault(error)
  }

  /**
   * Sends a reminder in two pieces, some time apart. A paused socket is not polled, so a dead client is only noticed by
   * writing: the first write draws its reset, and the second one fails.
   */
  #remind(text: string): void {
    const { exchange, options } = this
    // Before the status only an interim response can be sent, and not every client accepts one that it did not ask for.
    if (options.expectsContinue && !exchange.context.tls && this.#replyAtEnd && !this.body.ended) {
      exchange.context.sockets.sendInterim(exchange.socket, 100)
    }
    this.#append(text)
    this.#lineOpen = true
    exchange.context.clock.after(PROBE_MS, () => {
      if (this.#lineOpen) this.#append('')
    })
  }

  #append(text: string): void {
    this.#lines += this.#lineOpen ? `\n${text}` : text
    this.#lineOpen = false
    if (!this.#linesHeld) this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.exchange.over) return
    this.#scheduled = true
    atEndOfTurn(this, 'status lines')
  }

  #writeLines(): void {
    const { exchange } = this
    const { res, context } = exchange
    const reason = this.#endReason
    const endCleanly = reason === 'complete' || (reason !== undefined && context.cleanFailures)
    const text = this.#lines
    this.#lines = ''
    exchange.bytesOut += text.length
    res.cork(() => {
      if (!this.#headSent) {
        this.#headSent = true
        exchange.writeHead(200, this.#headers, false)
      }
      // The client may have died: uWebSockets then calls onAborted from inside this write.
      if (text !== '') res.write(text)
      if (endCleanly && !exchange.over) res.end()
    })
    if (reason === undefined || exchange.over) return
    this.owner.lastLineSent()
    if (endCleanly) exchange.ended()
    else this.#cut()
  }

  /**
   * Ends a failed response without its clean end. While the client still uploads, closing resets the connection, and a client
   * that notices by a failed write reads no further. So it gets time to read the line first.
   */
  #cut(): void {
    if (this.body.ended) this.exchange.cut()
    else this.exchange.context.clock.after(LINGER_MS, () => this.exchange.cut())
  }

  #answerAtEnd(): void {
    if (this.#endReason === undefined) return
    this.owner.lastLineSent()
    const status = this.#status
    const headers = [...this.#headers, ...this.#failureHeaders, ...retryAfter(status)]
    this.exchange.answer({ status, headers, body: this.#lines }, this.body.ended ? 'keep' : 'discard')
  }
}
