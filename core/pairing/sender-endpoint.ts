import type { BorrowedBytes } from './bytes.js'
import type { Deadline } from './clock.js'
import type { EndReason } from './end-reason.js'
import { Cursor, FanOut } from './fan-out.js'
import type { JoinOptions, SenderJoinOptions } from './limits.js'
import type { Pipe } from './pipe.js'
import type { Sink, Source, StreamHead } from './ports.js'

/** What can be wrong with a body. */
export type BodyFault = Extract<EndReason, 'broken_body' | 'broken_form' | 'empty_form' | 'too_large'>

/** A sender's place in a pipe: its transport reports here. Calls after the end do nothing. */
export class SenderEndpoint {
  /** Set while this side waits. */
  deadline: Deadline | undefined
  readonly fanOut: FanOut
  /** Undefined until `opened`: a sender whose head comes with its body has a place, and nothing begins. */
  head: StreamHead | undefined
  #announced = Number.POSITIVE_INFINITY
  readonly #maxBytes: number

  constructor(
    readonly pipe: Pipe,
    readonly source: Source,
    head: StreamHead | undefined,
    readonly terms: SenderJoinOptions,
  ) {
    this.fanOut = new FanOut(source, pipe.context.limits, pipe.context.slabs, pipe)
    this.#take(head)
    this.#maxBytes = terms.limits?.maxBytes ?? Number.POSITIVE_INFINITY
  }

  /** The head of the stream is known at last. Before its first byte, and once, if the sender joined without. */
  opened(head: StreamHead): void {
    this.#take(head)
    if (this.#isLive) this.pipe.headKnown()
  }

  #take(head: StreamHead | undefined): void {
    this.head = head
    this.#announced = head?.length ?? Number.POSITIVE_INFINITY
  }

  /** The next bytes of the body, lent for this call. */
  feed(bytes: BorrowedBytes): void {
    if (!this.#isLive) return
    // A byte beyond the announced length could make a receiver's response longer than its own header says.
    const total = this.fanOut.bytesIn + bytes.byteLength
    if (total > this.#announced) this.pipe.senderFails(this, 'wrong_length')
    else if (total > this.#maxBytes || total > this.pipe.maxBytes) this.pipe.senderFails(this, 'too_large')
    else this.fanOut.feed(bytes)
  }

  /** The body is complete. */
  end(): void {
    if (this.#isLive) this.pipe.bodyEnded(this)
  }

  /** The body is broken; what came of it may not be all. */
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

  /** Whether this is still the sender of a pipe that lives. */
  get #isLive(): boolean {
    return this.pipe.sender === this && this.pipe.state !== 'ended'
  }
}

/** A receiver's place in a pipe: its transport reports here. Calls after the end do nothing. */
export class ReceiverEndpoint {
  /** Set while this side waits. */
  deadline: Deadline | undefined
  readonly cursor: Cursor

  constructor(
    readonly pipe: Pipe,
    sink: Sink,
    readonly terms: JoinOptions,
  ) {
    this.cursor = new Cursor(sink)
  }

  /** The sink can take bytes again. */
  drained(): void {
    if (this.pipe.state === 'streaming') this.pipe.sender?.fanOut.drained(this.cursor)
  }

  /** The sink has handed on the last byte, after `finish()` returned false. */
  finished(): void {
    if (this.pipe.state === 'streaming') this.pipe.sender?.fanOut.finished(this.cursor)
  }

  /** The gateway met a defect of its own while it served this receiver. */
  fault(): void {
    this.pipe.end('fault')
  }

  /** The connection is gone. */
  left(): void {
    if (this.cursor.present && !this.cursor.finished) this.pipe.receiverLeft(this)
  }
}
