import type { BorrowedBytes } from '../bytes.js'
import type { Clock, Deadline } from '../clock.js'
import type { BodyFault, EndReason } from '../end-reason.js'
import { CORE_FAILURES, Refusal } from '../failure.js'
import type { FanOut } from '../flow/fan-out.js'
import type { SenderJoinOptions } from '../join-options.js'
import type { PipeView } from '../pipe-view.js'
import type { Source } from '../ports.js'
import { isBeyond, type Range } from '../range.js'
import type { StreamHead } from '../stream-head.js'

/** The pipe, as its sender's endpoint sees it. */
export interface SenderPipe extends PipeView {
  readonly sender: SenderEndpoint | undefined
  readonly limits: { readonly maxBytes: number }
  headKnown(): void
  bodyEnded(endpoint: SenderEndpoint): void
  senderFails(endpoint: SenderEndpoint, reason: EndReason): void
  senderLeft(endpoint: SenderEndpoint): void
  end(reason: EndReason): void
}

/** A sender's place in a pipe: its transport reports here. Calls after the end do nothing. */
export class SenderEndpoint {
  /** Undefined until `opened`: a sender whose head comes with its body has a place, but nothing begins. */
  head: StreamHead | undefined
  #announced = Number.POSITIVE_INFINITY
  readonly #maxBytes: number
  /** The end of its wait, and its next reminder. */
  #deadline: Deadline | undefined
  #reminder: Deadline | undefined

  constructor(
    readonly pipe: SenderPipe,
    readonly source: Source,
    readonly fanOut: FanOut,
    head: StreamHead | undefined,
    readonly options: SenderJoinOptions,
  ) {
    this.#setHead(head)
    this.#maxBytes = options.limits?.maxBytes ?? Number.POSITIVE_INFINITY
  }

  /** The head of the stream is known now. Call it once, before the first byte, if the sender joined without a head. */
  opened(head: StreamHead): void {
    this.#setHead(head)
    if (this.#isLive) this.pipe.headKnown()
  }

  #setHead(head: StreamHead | undefined): void {
    this.head = head
    this.#announced = head?.length ?? Number.POSITIVE_INFINITY
  }

  /** Why a receiver that wants this part of the stream cannot have it; undefined when it can. */
  rangeRefusal(range: Range | undefined): Refusal | undefined {
    const length = this.head?.length
    if (length === undefined || range === undefined || !isBeyond(range, length)) return undefined
    return new Refusal(CORE_FAILURES.rangeBeyondEnd, { found: range.first, expected: length })
  }

  /** The next bytes of the body, lent for this call. */
  feed(bytes: BorrowedBytes): void {
    if (!this.#isLive) return
    // A byte beyond the announced length could make a receiver's response longer than its own header says.
    const total = this.fanOut.bytesIn + bytes.byteLength
    if (total > this.#announced) this.pipe.senderFails(this, 'wrong_length')
    else if (total > this.#maxBytes || total > this.pipe.limits.maxBytes) this.pipe.senderFails(this, 'too_large')
    else this.fanOut.feed(bytes)
  }

  /** The body is complete. */
  end(): void {
    if (this.#isLive) this.pipe.bodyEnded(this)
  }

  /** The body is broken, so what was read of it may not be all. */
  broken(reason: BodyFault = 'broken_body'): void {
    if (this.#isLive) this.pipe.senderFails(this, reason)
  }

  /** The connection is gone. */
  left(): void {
    if (this.#isLive) this.pipe.senderLeft(this)
  }

  /** The gateway met a defect of its own while it served this sender. */
  fault(): void {
    if (this.#isLive) this.pipe.end('fault')
  }

  /** Waits, with reminders, until `stopWaiting`, or runs `expired`. For the pipe. */
  startWaiting(clock: Clock, reminderMs: number, expired: () => void): void {
    this.#deadline = clock.after(this.options.waitMs, expired)
    this.#remind(clock, reminderMs)
  }

  stopWaiting(): void {
    this.#deadline?.cancel()
    this.#reminder?.cancel()
  }

  #remind(clock: Clock, reminderMs: number): void {
    this.#reminder = clock.after(reminderMs, () => {
      this.#remind(clock, reminderMs)
      this.source.notify('still_waiting', this.pipe)
    })
  }

  /** Whether this is still the sender of a pipe that has not ended. */
  get #isLive(): boolean {
    return this.pipe.sender === this && this.pipe.state !== 'ended'
  }
}
