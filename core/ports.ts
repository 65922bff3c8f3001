import type { BorrowedBytes } from './bytes.js'
import type { EndReason } from './end-reason.js'
import type { Refusal } from './failure.js'
import type { PipeView } from './pipe-view.js'
import type { StreamHead } from './stream-head.js'

/** Computes the digest of a stream while its bytes pass. */
export interface Digest {
  /** The next bytes, lent for this call. */
  update(bytes: BorrowedBytes): void
  /** The digest of all bytes so far, in hexadecimal. The last call. */
  hex(): string
}

/** What a sender is told before the end of its transfer. */
export type SenderEvent =
  /** It has joined, whether receivers are missing or not. The first event, exactly once. */
  | 'waiting'
  /** Receivers are still missing. Every `reminderMs`. */
  | 'still_waiting'
  /** Somebody has looked, and has taken nothing. Each of the first ten times, then each tenth, each hundredth. */
  | 'looked'
  | 'receiver_joined'
  | 'receiver_left'
  /** All receivers are there and the stream flows. */
  | 'streaming'
  /** The only receiver is gone before anything arrived at it: the stream that flowed waits for another one, and nothing is lost. */
  | 'given_back'
  /** The last byte of the body has been read. */
  | 'uploaded'

/**
 * Where bytes come from: a sender's connection, seen from the core.
 *
 * The transport reports through the `SenderEndpoint` that `joinSender` returned. It never calls the endpoint from inside one
 * of these methods, all of which may already be called while `joinSender` runs.
 */
export interface Source {
  /** Stop reading. A source starts paused. Bytes that were already read may still be delivered. */
  pause(): void
  /** Read again. */
  resume(): void
  /** Tells the sender what happened. The transport decides how to say it. */
  notify(event: SenderEvent, pipe: PipeView): void
  /** The last call: how the transfer ended for this side. Anything but `complete` must not look like success to the sender. */
  end(reason: EndReason, pipe: PipeView): void
}

/** Where a sink reports what becomes of it: the place that its connection has. */
export interface SinkListener {
  /** It can take bytes again. */
  drained(): void
  /** It has handed on the last byte, after `finish()` returned false. */
  finished(): void
  /** The gateway met a defect of its own while it served this connection. */
  fault(): void
  /** The connection is gone. */
  left(): void
}

/**
 * Where bytes go: a receiver's connection, seen from the core.
 *
 * The transport reports through the `SinkListener` that joining returned. It never calls the endpoint from inside
 * one of these methods, all of which may already be called while `joinReceiver` runs, and never throws.
 */
export interface Sink {
  /**
   * The stream starts. Nothing went out before this call.
   * @param offset of the first byte that will be offered; more than 0 only for a stream of known length, and less than that
   */
  begin(head: StreamHead, pipe: PipeView, offset: number): void
  /**
   * Offers the next bytes of the stream. Returns how many of them were taken, from the front: fewer than all only if the sink
   * is full now. What is offered next starts with all that was not taken, and is at least as long.
   */
  write(bytes: BorrowedBytes): number
  /**
   * Read after each `write`: it makes no sense to offer more now, even if the sink took everything. The sink calls
   * `endpoint.drained()` when it can take bytes again.
   */
  readonly isFull: boolean
  /**
   * In place of an offer: others have used up what may be done in this turn of the event loop. Call `endpoint.drained()` in a
   * later one. Only while the sink is not full; until then it counts as if it were.
   */
  postpone(): void
  /** Bytes that were taken and have not reached the peer's machine, as far as is known. Read about once a second. */
  queued(): number
  /** Before `begin`: whether the peer is there, as far as can be told now. One that is not may be a moment later. */
  isHere(): boolean
  /**
   * Whether the peer's machine has acknowledged a byte of the stream; false while it is only likely. True for a sink that cannot
   * tell, once it has taken one. Still right when the connection has gone.
   */
  hasArrived(): boolean
  /**
   * All bytes have been taken; end cleanly. Returns true when the last byte has been handed on; otherwise the sink
   * calls `endpoint.finished()` when it has.
   */
  finish(): boolean
  /** The last call, in place of `begin`: this receiver has lost its place, and the others have kept theirs. */
  refuse(refusal: Refusal): void
  /** The last call unless the stream was finished: end it so that it cannot be taken for complete. */
  abort(reason: EndReason, pipe: PipeView): void
}
