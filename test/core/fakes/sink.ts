import assert from 'node:assert/strict'
import type { BorrowedBytes, EndReason, PipeView, Refusal, Sink, StreamHead, TurnBudget } from '../../../core/index.js'
import { byteAt } from './stream-bytes.js'

/** A receiver's connection that takes as much as it is told to, and fails on what the port forbids. */
export class FakeSink implements Sink {
  /** `begin`, `finish` and `abort <reason>` in order. */
  readonly log: string[] = []
  /** Sizes of the pieces that were offered. */
  readonly offers: number[] = []
  /** Copies of what was taken. */
  readonly #chunks: Uint8Array[] = []
  /** The stream whose bytes they must be, from the head's field `stream`. */
  stream = -1
  received = 0
  /** Where in the stream it begins. */
  offset = 0
  head: StreamHead | undefined
  /** It has no room, and has not said that it drained. */
  full = false
  /** An offer was put off to a later turn, and it has not drained since. */
  postponed = false
  /** Bytes that were taken and have not arrived: all that are taken while it lags, until a test lowers it. */
  inFlight = 0
  finishCalled = false
  /** The last byte has been handed on. */
  finished = false
  aborted: EndReason | undefined
  /** The code of the refusal that it was told. */
  refused: string | undefined
  /** Set when the connection closed. */
  disconnected = false
  /** Its client can be seen to be there. */
  here = true
  #isCrowded = true
  /** The memory of the last piece that was offered. */
  lastMemory: ArrayBufferLike | undefined

  /**
   * @param room how many more bytes it takes before it is full
   * @param finishesAtOnce what `finish()` answers
   * @param lags what it takes stays in flight
   * @param turn what may be done in a turn; undefined when its stream has few receivers
   */
  constructor(
    public room = Number.POSITIVE_INFINITY,
    public finishesAtOnce = true,
    readonly lags = false,
    readonly turn?: TurnBudget,
  ) {}

  begin(head: StreamHead, pipe: PipeView, offset: number): void {
    this.#called('begin')
    assert.ok(
      offset === 0 || (offset > 0 && (pipe.kind === 'live' || offset < (head.length ?? 0))),
      `sink: begin() at ${offset} of ${head.length}`,
    )
    this.offset = offset
    // Viewers of a live stream are many one moment and few the next.
    this.#isCrowded = pipe.kind === 'pipe' && pipe.receiversWanted > (this.turn?.few ?? 0)
    assert.equal(this.head, undefined, 'sink: begin() twice')
    this.log.push('begin')
    this.head = head
    this.stream = Number(head.fields.find(([name]) => name === 'stream')?.[1])
  }

  write(bytes: BorrowedBytes): number {
    this.#called('write')
    assert.ok(this.head !== undefined, 'sink: write() before begin()')
    assert.ok(!this.finishCalled, 'sink: write() after finish()')
    assert.ok(!this.full, 'sink: write() although it is full')
    assert.ok(bytes.byteLength > 0, 'sink: write() of nothing')
    assert.ok(!this.turn?.isSpent || !this.#isCrowded, 'sink: write() although this turn has done enough')
    this.offers.push(bytes.byteLength)
    this.lastMemory = bytes.buffer
    const took = Math.min(bytes.byteLength, this.room)
    this.check(bytes, took)
    if (took > 0) this.#chunks.push(bytes.slice(0, took))
    this.room -= took
    this.received += took
    if (this.lags) this.inFlight += took
    this.full = this.room === 0
    return took
  }

  /** Fails when these are not the next bytes of the stream. */
  protected check(bytes: BorrowedBytes, took: number): void {
    for (let i = 0; i < took; i++) {
      const offset = this.offset + this.received + i
      if (bytes[i] !== byteAt(this.stream, offset)) assert.fail(`sink: wrong byte at ${offset}`)
    }
  }

  get isFull(): boolean {
    return this.full
  }

  postpone(): void {
    this.#called('postpone')
    assert.ok(this.head !== undefined, 'sink: postpone() before begin()')
    assert.ok(!this.full, 'sink: postpone() although it is full')
    assert.ok(this.turn?.isSpent, 'sink: postpone() although this turn can do more')
    this.postponed = true
    this.full = true
  }

  queued(): number {
    return this.inFlight
  }

  isHere(): boolean {
    assert.equal(this.head, undefined, 'sink: isHere() after begin()')
    return this.here && !this.disconnected
  }

  hasArrived(): boolean {
    return this.received > this.inFlight
  }

  finish(): boolean {
    this.#called('finish')
    assert.ok(this.head !== undefined, 'sink: finish() before begin()')
    assert.ok(!this.finishCalled, 'sink: finish() twice')
    this.log.push('finish')
    this.finishCalled = true
    this.finished = this.finishesAtOnce
    return this.finished
  }

  refuse({ failure }: Refusal): void {
    this.#called(`refuse ${failure.code}`)
    assert.equal(this.head, undefined, 'sink: refuse() after begin()')
    this.log.push(`refuse ${failure.code}`)
    this.refused = failure.code
  }

  abort(reason: EndReason, _pipe: PipeView): void {
    this.#called(`abort ${reason}`)
    this.log.push(`abort ${reason}`)
    this.aborted = reason
  }

  /** Everything that was taken. */
  get bytes(): Uint8Array {
    if (this.#chunks.length !== 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks))
    return this.#chunks[0]!
  }

  /** It has room for so many bytes more, and is about to say so. */
  empty(room: number): void {
    this.room = room
    this.full = false
    this.postponed = false
  }

  #called(what: string): void {
    assert.equal(this.aborted, undefined, `sink: ${what} after abort()`)
    assert.equal(this.refused, undefined, `sink: ${what} after refuse()`)
    assert.ok(!this.finished, `sink: ${what} after it was finished`)
    assert.ok(!this.disconnected, `sink: ${what} after its connection left`)
  }
}
