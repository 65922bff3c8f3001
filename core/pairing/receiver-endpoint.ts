import type { Clock, Deadline } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import { Cursor } from '../flow/cursor.js'
import type { FanOut } from '../flow/fan-out.js'
import type { ReceiverJoinOptions } from '../join-options.js'
import type { PipeView } from '../pipe-view.js'
import type { Sink } from '../ports.js'
import { isServed } from '../range.js'
import type { StreamHead } from '../stream-head.js'

/** The pipe, as a receiver's endpoint sees it. */
export interface ReceiverPipe extends PipeView {
  /** Undefined while there is no sender. */
  readonly fanOut: FanOut | undefined
  receiverLeft(endpoint: ReceiverEndpoint): void
  end(reason: EndReason): void
}

/** A receiver's place in a pipe: its transport reports here. Calls after the end do nothing. */
export class ReceiverEndpoint {
  readonly cursor: Cursor
  #deadline: Deadline | undefined

  constructor(
    readonly pipe: ReceiverPipe,
    sink: Sink,
    readonly options: ReceiverJoinOptions,
  ) {
    this.cursor = new Cursor(sink)
  }

  /** The stream begins. For the pipe. */
  begins(head: StreamHead): void {
    this.stopWaiting()
    const { range } = this.options
    if (range !== undefined && isServed(range, head.length)) this.cursor.startAt(range.first)
  }

  /** The sink can take bytes again. */
  drained(): void {
    if (this.pipe.state === 'streaming') this.pipe.fanOut?.drained(this.cursor)
  }

  /** The sink has handed on the last byte, after `finish()` returned false. */
  finished(): void {
    if (this.pipe.state === 'streaming') this.pipe.fanOut?.finished(this.cursor)
  }

  /** The gateway met a defect of its own while it served this receiver. */
  fault(): void {
    this.pipe.end('fault')
  }

  /** The connection is gone. */
  left(): void {
    if (this.cursor.present && !this.cursor.finished) this.pipe.receiverLeft(this)
  }

  /** Waits until `stopWaiting`, or runs `expired`. For the pipe. */
  startWaiting(clock: Clock, expired: () => void): void {
    this.#deadline = clock.after(this.options.waitMs, expired)
  }

  stopWaiting(): void {
    this.#deadline?.cancel()
  }
}
