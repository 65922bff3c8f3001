import type { Clock, Deadline } from '../clock.js'
import type { Cursor } from '../flow/cursor.js'
import type { FanOut } from '../flow/fan-out.js'
import type { ReceiverJoinOptions } from '../join-options.js'
import type { PipeView } from '../pipe-view.js'
import type { SinkListener } from '../ports.js'
import { isServed } from '../range.js'
import type { StreamHead } from '../stream-head.js'

/** The pipe, as a receiver's endpoint sees it. */
export interface ReceiverPipe extends PipeView {
  /** The fan-out while it offers bytes. */
  readonly delivering: FanOut | undefined
  receiverLeft(endpoint: ReceiverEndpoint): void
  receiverFault(endpoint: ReceiverEndpoint): void
}

/** A receiver's place in a pipe: its transport reports here. Calls after the end do nothing. */
export class ReceiverEndpoint implements SinkListener {
  #deadline: Deadline | undefined

  constructor(
    public pipe: ReceiverPipe,
    readonly cursor: Cursor,
    readonly options: ReceiverJoinOptions,
  ) {}

  /** The stream begins. For the pipe. */
  begins(head: StreamHead): void {
    this.stopWaiting()
    const { range } = this.options
    if (range !== undefined && isServed(range, head.length)) this.cursor.startAt(range.first)
  }

  /** The sink can take bytes again. */
  drained(): void {
    this.pipe.delivering?.drained(this.cursor)
  }

  /** The sink has handed on the last byte, after `finish()` returned false. */
  finished(): void {
    this.pipe.delivering?.finished(this.cursor)
  }

  /** The gateway met a defect of its own while it served this receiver. */
  fault(): void {
    if (this.#isHere) this.pipe.receiverFault(this)
  }

  /** The connection is gone. */
  left(): void {
    if (this.#isHere) this.pipe.receiverLeft(this)
  }

  get #isHere(): boolean {
    return this.cursor.present && !this.cursor.finished
  }

  /** Waits until `stopWaiting`, or runs `expired`. For the pipe. */
  startWaiting(clock: Clock, expired: () => void): void {
    this.#deadline = clock.after(this.options.waitMs, expired)
  }

  stopWaiting(): void {
    this.#deadline?.cancel()
  }
}
