import type { BorrowedBytes } from '../bytes.js'
import type { Limits } from '../limits.js'
import type { Delivery, DeliveryView, PipeView } from '../pipe-view.js'
import type { Digest, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import type { Throttle, Throttled } from '../throttle.js'
import type { Cursor } from './cursor.js'
import type { FanOutListener } from './fan-out-listener.js'
import { FlowControl } from './flow-control.js'
import type { SlabPool } from './slab-pool.js'
import type { TurnBudget } from './turn-budget.js'
import { Window } from './window.js'

/**
 * One stream in, `n` copies out: the hot path. `feed` is synchronous, and allocates nothing while receivers keep up.
 *
 * A chunk is offered to every receiver at once. A receiver that takes all of it costs one call and no copy. What some receiver
 * does not take is kept once, in a window that all receivers read, each at its own cursor. Before `start()` everything is kept.
 * A cursor may begin beyond what has been read: its receiver is offered nothing until the stream has come that far, and delays
 * nobody.
 *
 * With many receivers, only so many are offered something in one turn of the event loop (`TurnBudget`). The others are
 * postponed: they count as full until their sinks report, in a later turn, that they drained, and read from the window then.
 */
export class FanOut<C extends Cursor = Cursor> implements Throttled, DeliveryView {
  /** Bytes read from the source. */
  bytesIn = 0
  /** The source has been read to its end. */
  sourceEnded = false
  /** Null when nobody asked for it. */
  digest: Digest | null = null
  protected readonly window: Window
  protected readonly flow: FlowControl
  protected cursors: readonly C[] = []
  protected started = false
  /** Null for a stream with few receivers. */
  protected turn: TurnBudget | null = null
  /** How far the last receiver was when it left. */
  #reachedByLast = 0

  constructor(
    readonly source: Source,
    readonly limits: Pick<Limits, 'windowBytes' | 'holdBytes'>,
    readonly pool: SlabPool,
    readonly listener: FanOutListener,
    readonly budget: TurnBudget,
    /** Bytes that the pool has set aside for what comes before the start. */
    public reserved = 0,
  ) {
    this.window = new Window(pool)
    this.flow = new FlowControl(source, limits.windowBytes, pool, listener, this)
  }

  /** How far the slowest present receiver is in what has been read; when none is left, how far the last one was. */
  get slowest(): number {
    let slowest = Number.POSITIVE_INFINITY
    for (const cursor of this.cursors) if (cursor.present && cursor.at < slowest) slowest = cursor.at
    return slowest === Number.POSITIVE_INFINITY ? this.wantedByNobody : Math.min(slowest, this.bytesIn)
  }

  /** The slowest when no receiver is present: what comes before it need not be kept. */
  protected get wantedByNobody(): number {
    return this.#reachedByLast
  }

  /** Offset in what has been read up to which everything has reached the machine of the slowest receiver. */
  get delivered(): number {
    let delivered = this.slowest
    for (const cursor of this.cursors) if (cursor.present) delivered = Math.min(delivered, cursor.delivered)
    // What is on its way includes the head and the framing, which are no part of the stream.
    return Math.max(0, delivered)
  }

  get deliveries(): readonly Delivery[] {
    return this.cursors.map(({ from, present, delivered, at }) => {
      const arrived = Math.max(from, present ? delivered : at)
      return { from, present, delivered: Math.min(arrived, this.bytesIn) }
    })
  }

  /** Grows whenever anything moves: a byte is read or delivered, or a receiver finishes or leaves. */
  get progress(): number {
    let progress = this.bytesIn
    for (const cursor of this.cursors) {
      progress += cursor.present ? cursor.delivered : cursor.at + 1
      if (cursor.finished) progress++
    }
    return progress
  }

  /** Bytes that all receivers together have taken, including those that left. */
  get sent(): number {
    let sent = 0
    for (const cursor of this.cursors) sent += cursor.taken
    return sent
  }

  /** Bytes that have been read and that receivers did not want, for all of them together. */
  get skipped(): number {
    let skipped = 0
    for (const cursor of this.cursors) skipped += Math.min(cursor.from, this.bytesIn)
    return skipped
  }

  /** For how long the source has been paused since the stream began and before its end, in milliseconds. */
  get heldBackMs(): number {
    return this.flow.heldBackMs
  }

  /** The stream flows, and stands still only because no receiver is there. */
  get awaitsReceivers(): boolean {
    return false
  }

  /** Bytes kept for receivers that have not taken them. */
  get held(): number {
    return this.window.held
  }

  /** Adds a digest of the stream. Only before `start()`, while everything that came is still kept. */
  digestBy(digest: Digest): void {
    for (const bytes of this.window.all()) digest.update(bytes)
    this.digest = digest
  }

  /** All receivers are there: begins every sink, offers what was kept, and lets the source flow. */
  start(cursors: readonly C[], head: StreamHead, pipe: PipeView, throttles: readonly Throttle[] = []): void {
    this.started = true
    this.#unreserve()
    this.flow.start(throttles, this.bytesIn)
    this.cursors = cursors
    if (cursors.length > this.budget.few) this.turn = this.budget
    for (const cursor of cursors) cursor.sink.begin(head, pipe, cursor.from)
    for (const cursor of cursors) this.advance(cursor)
    this.settle()
  }

  /** The source has read `chunk`. */
  feed(chunk: BorrowedBytes): void {
    const before = this.bytesIn
    this.bytesIn = before + chunk.byteLength
    const cursors = this.cursors
    let slowest = this.started ? this.neededFrom : 0
    let hasRoom = false
    for (let i = 0; i < cursors.length; i++) {
      const cursor = cursors[i]!
      if (!cursor.present) continue
      if (!cursor.full && cursor.at < this.bytesIn) {
        this.offer(cursor, cursor.at > before ? chunk.subarray(cursor.at - before) : chunk)
      }
      if (!cursor.full) hasRoom = true
      if (cursor.at < slowest) slowest = cursor.at
    }
    const behind = this.bytesIn - slowest
    if (behind > 0 && !this.keep(slowest > before ? chunk.subarray(slowest - before) : chunk, behind)) {
      this.listener.streamOverflowed()
      return
    }
    if (this.digest !== null) this.digest.update(chunk)
    this.flow.spend(chunk.byteLength)
    this.pace(hasRoom, behind)
  }

  /** What has been read before this offset need not be kept for anybody who is not there. */
  protected get neededFrom(): number {
    return this.bytesIn
  }

  /**
   * Lets the source flow, or holds it back.
   * @param hasRoom some receiver can take more
   * @param behind how many bytes the slowest receiver has still to take
   */
  protected pace(hasRoom: boolean, behind: number): void {
    this.flow.update(hasRoom, behind)
  }

  /** A throttle has something to spend again. */
  unthrottled(): void {
    this.settle()
  }

  /** The source has no more bytes. */
  end(): void {
    this.flow.stop()
    this.sourceEnded = true
    for (const cursor of this.cursors) this.finishIfDone(cursor)
    this.#reportIfFinished()
  }

  /** The receiver's sink has room again. */
  drained(cursor: C): void {
    if (!cursor.present || cursor.finished) return
    cursor.full = false
    this.advance(cursor)
    this.settle()
  }

  /** The receiver's sink has handed on the last byte. */
  finished(cursor: C): void {
    if (!cursor.present || cursor.finished) return
    cursor.finished = true
    this.#reportIfFinished()
  }

  /** A receiver is gone. Returns whether another one is present; then `settle()` has to follow. */
  leave(cursor: C): boolean {
    cursor.present = false
    if (this.cursors.some((each) => each.present)) return true
    this.#reachedByLast = Math.min(cursor.at, this.bytesIn)
    return false
  }

  /** The first receiver to which nothing has been delivered for `stallMs` although bytes wait for it. */
  stalled(now: number, stallMs: number): C | undefined {
    for (const cursor of this.cursors) {
      if (!cursor.present || cursor.finished) continue
      const expected = cursor.at < this.bytesIn || this.sourceEnded
      if (cursor.idleFor(now, expected) >= stallMs) return cursor
    }
    return undefined
  }

  /** Frees what is kept. Nothing may be fed after this, and the source is not touched any more. */
  discard(): void {
    this.flow.stop()
    this.flow.leaveThrottles()
    this.started = false
    this.#unreserve()
    this.window.release(Number.POSITIVE_INFINITY)
  }

  /** Offers the bytes at the cursor, or nothing when this turn has done enough for crowds. */
  protected offer(cursor: C, bytes: BorrowedBytes): void {
    const turn = this.turn
    if (turn?.isSpent) {
      cursor.full = true
      cursor.sink.postpone()
      return
    }
    const took = cursor.sink.write(bytes)
    cursor.at += took
    if (cursor.sink.isFull) cursor.full = true
    turn?.spend(took)
  }

  /** Brings the cursor as far as its sink takes. */
  protected advance(cursor: C): void {
    while (!cursor.full && cursor.at < this.bytesIn) this.offer(cursor, this.window.at(cursor.at))
    this.finishIfDone(cursor)
  }

  /** Keeps the end of a chunk. Returns false when it must not. */
  protected keep(bytes: BorrowedBytes, behind: number): boolean {
    if (behind > this.limits.holdBytes) return false
    const offset = this.bytesIn - bytes.byteLength
    if (this.started) return this.append(bytes, offset)
    // A sender that waits must not use up the memory of transfers that stream, but what it was promised is there.
    const isPromised = bytes.byteLength <= this.reserved
    // It is paused now, so that this was all.
    this.#unreserve()
    return this.window.append(bytes, offset, isPromised ? 'promised' : 'waiting')
  }

  /** Keeps bytes of a stream that flows. */
  protected append(bytes: BorrowedBytes, offset: number): boolean {
    return this.window.append(bytes, offset, this.turn === null ? 'streaming' : 'crowd')
  }

  #unreserve(): void {
    this.pool.unreserve(this.reserved)
    this.reserved = 0
  }

  /** After receivers moved or left: frees what all have taken, updates the flow, and checks whether all is done. */
  settle(): void {
    const slowest = this.slowest
    this.window.release(Math.min(slowest, this.neededFrom))
    let hasRoom = false
    for (const cursor of this.cursors) if (cursor.present && !cursor.full) hasRoom = true
    this.pace(hasRoom, this.bytesIn - slowest)
    this.#reportIfFinished()
  }

  protected finishIfDone(cursor: C): void {
    if (!this.sourceEnded || !cursor.present || cursor.finishing || cursor.at < this.bytesIn) return
    cursor.finishing = true
    cursor.finished = cursor.sink.finish()
  }

  #reportIfFinished(): void {
    if (!this.started || !this.sourceEnded) return
    for (const cursor of this.cursors) if (cursor.present && !cursor.finished) return
    this.listener.streamFinished()
  }
}
