import type { Sink } from '../ports.js'

/** One receiver of a stream: its sink, and how far it is. */
export class Cursor {
  /** Offset of the first byte that the receiver wants. Those before it are never offered. */
  from = 0
  /** Offset of the next byte to offer. Beyond what has been read while that is what the receiver skips. */
  at = 0
  /** The sink is full. It is offered nothing until it reports that it drained. */
  full = false
  /** False when the receiver is gone. It then delays nobody. */
  present = true
  /** The sink has been told to finish; `finished` when it has handed on the last byte. */
  finishing = false
  finished = false
  /** The reading of `delivered` when it last changed, and when that was seen. */
  #seenDelivered = 0
  #seenAt = 0

  constructor(readonly sink: Sink) {}

  /** Begins at this byte of the stream. Before anything has been offered. */
  startAt(offset: number): void {
    this.from = offset
    this.at = offset
  }

  /** Bytes that the sink has taken. */
  get taken(): number {
    return this.at - this.from
  }

  /**
   * Offset up to which everything has reached the receiver's machine. A sink can take megabytes at once, and then nothing for a
   * long time.
   */
  get delivered(): number {
    return this.at - this.sink.queued()
  }

  /**
   * For how long, in milliseconds, nothing has been delivered.
   * @param expected whether there is anything to deliver; otherwise the count starts again
   */
  idleFor(now: number, expected: boolean): number {
    const { delivered } = this
    if (!expected || delivered !== this.#seenDelivered || this.#seenAt === 0) {
      this.#seenDelivered = delivered
      this.#seenAt = now
    }
    return now - this.#seenAt
  }
}
