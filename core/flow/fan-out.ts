import type { BorrowedBytes } from './bytes.js'
import type { Limits } from './limits.js'
import type { PipeView } from './observer.js'
import type { Digest, Sink, Source, StreamHead } from './ports.js'
import type { SlabPool } from './slab-pool.js'
import type { Throttle, Throttled } from './throttle.js'
import { Window } from './window.js'

/** One receiver of a stream: its sink and how far it is. */
export class Cursor {
  /** Bytes of the stream that the sink has taken: the cursor. */
  taken = 0
  /** The sink is full; it is offered nothing until it says that it drained. */
  full = false
  /** False when the receiver is gone: nobody may be held by it. */
  present = true
  /** The sink has been told that it has all; `finished` when it has handed it on. */
  finishing = false
  finished = false
  /** `delivered` when somebody last looked and it had moved, and when that was. */
  #seenDelivered = 0
  #seenAt = 0

  constructor(readonly sink: Sink) {}

  /** Bytes that have reached the receiver's machine. A sink takes megabytes at once, and then nothing for long. */
  get delivered(): number {
    return this.taken - this.sink.queued()
  }

  /** For how long, in milliseconds, the cursor has not moved although it should. */
  idleFor(now: number, wanted: boolean): number {
    const { delivered } = this
    if (!wanted || delivered !== this.#seenDelivered || this.#seenAt === 0) {
      this.#seenDelivered = delivered
      this.#seenAt = now
    }
    return now - this.#seenAt
  }
}

/** Who is told what became of the stream. */
export interface FanOutListener {
  /** Every cursor that is present has been handed the last byte. */
  streamFinished(): void
  /** Bytes came that may not be kept. */
  streamOverflowed(): void
  /** The clock, in milliseconds. */
  now(): number
}

/**
 * One stream in, `n` copies out: the hot path.
 *
 * A chunk is offered to every cursor at once. A cursor that takes all of it costs one call and no copy. What some cursor does
 * not take is kept once, in a window that all cursors read by their own cursor. Before `start()` everything is kept.
 *
 * The source flows while somebody can take more and nobody is too far behind. Too far is a window; then the slowest has to
 * come within half of one first. When all cursors are full nobody is held back by a pause, and what is not read need not be
 * kept.
 */
export class FanOut implements Throttled {
  /** Bytes read from the source. */
  bytesIn = 0
  readonly #pool: SlabPool
  readonly #window: Window
  #cursors: readonly Cursor[] = []
  #started = false
  #paused = true
  /** The slowest cursor was a window behind, and has not come within half of one since. */
  #crowded = false
  #sourceEnded = false
  /** Where the last cursor was when it left. */
  #takenByLast = 0
  /** Speeds that the source must keep. */
  #throttles: readonly Throttle[] = []
  /** Null when nobody asked for it. */
  #digest: Digest | null = null
  /** When the source was paused, and for how long it had been before. */
  #pausedAt = 0
  #heldBackMs = 0

  constructor(
    readonly source: Source,
    readonly limits: Pick<Limits, 'windowBytes' | 'holdBytes'>,
    pool: SlabPool,
    readonly owner: FanOutListener,
  ) {
    this.#pool = pool
    this.#window = new Window(pool)
  }

  /** The source has been read to its end. */
  get sourceEnded(): boolean {
    return this.#sourceEnded
  }

  /** Bytes that the slowest of the cursors that are present has taken; when none is left, what the last one had. */
  get slowest(): number {
    let slowest = Number.POSITIVE_INFINITY
    for (const cursor of this.#cursors) if (cursor.present && cursor.taken < slowest) slowest = cursor.taken
    return slowest === Number.POSITIVE_INFINITY ? this.#takenByLast : slowest
  }

  /** Bytes that have reached the machine of the slowest receiver. */
  get delivered(): number {
    let delivered = this.bytesIn
    for (const cursor of this.#cursors) if (cursor.present) delivered = Math.min(delivered, cursor.delivered)
    return delivered
  }

  /** Grows whenever anything moves: a byte is read or delivered, or a receiver has all or goes. */
  get progress(): number {
    let progress = this.bytesIn
    for (const cursor of this.#cursors) {
      progress += cursor.present ? cursor.delivered : cursor.taken + 1
      if (cursor.finished) progress++
    }
    return progress
  }

  /** Bytes that all cursors together have taken, also those of receivers that left. */
  get sent(): number {
    let sent = 0
    for (const cursor of this.#cursors) sent += cursor.taken
    return sent
  }

  /** For how long the source has been paused since the stream began and before its end, in milliseconds. */
  get heldBackMs(): number {
    const isHeldBack = this.#started && this.#paused && !this.#sourceEnded
    return this.#heldBackMs + (isHeldBack ? this.owner.now() - this.#pausedAt : 0)
  }

  /** From now on nobody is held back. */
  #stopClock(): void {
    this.#heldBackMs = this.heldBackMs
  }

  /** Bytes kept for cursors that have not taken them. */
  get held(): number {
    return this.#window.held
  }

  /** Before `start()`, while all that came is kept: from now on `digest` reads along. */
  digestBy(digest: Digest): void {
    for (const bytes of this.#window.all()) digest.update(bytes)
    this.#digest = digest
  }

  get digest(): Digest | null {
    return this.#digest
  }

  /** All receivers are there: begins every sink, offers what was kept, and lets the source flow. */
  start(cursors: readonly Cursor[], head: StreamHead, pipe: PipeView, throttles: readonly Throttle[] = []): void {
    this.#started = true
    this.#pausedAt = this.owner.now()
    this.#throttles = throttles
    // What came while it waited counts too: otherwise short streams whose sender comes first would be free.
    for (const throttle of throttles) throttle.spend(this.bytesIn)
    this.#cursors = cursors
    for (const cursor of cursors) cursor.sink.begin(head, pipe)
    for (const cursor of cursors) this.#advance(cursor)
    this.settle()
  }

  /** The source has read `chunk`. */
  feed(chunk: BorrowedBytes): void {
    const before = this.bytesIn
    this.bytesIn = before + chunk.byteLength
    const cursors = this.#cursors
    let slowest = this.#started ? this.bytesIn : 0
    let hungry = false
    for (let i = 0; i < cursors.length; i++) {
      const cursor = cursors[i]!
      if (!cursor.present) continue
      if (!cursor.full) this.#offer(cursor, chunk)
      if (!cursor.full) hungry = true
      if (cursor.taken < slowest) slowest = cursor.taken
    }
    const behind = this.bytesIn - slowest
    if (behind > 0 && !this.#keep(slowest > before ? chunk.subarray(slowest - before) : chunk, behind)) {
      this.owner.streamOverflowed()
      return
    }
    if (this.#digest !== null) this.#digest.update(chunk)
    for (let i = 0; i < this.#throttles.length; i++) this.#throttles[i]!.spend(chunk.byteLength)
    this.#pace(hungry, behind)
  }

  /** A throttle has something to spend again. */
  unthrottled(): void {
    this.settle()
  }

  /** The source has no more bytes. */
  end(): void {
    this.#stopClock()
    this.#flows(false)
    this.#sourceEnded = true
    for (const cursor of this.#cursors) this.#finishIfDone(cursor)
    this.#reportIfFinished()
  }

  /** The cursor's sink has room again. */
  drained(cursor: Cursor): void {
    if (!cursor.present || cursor.finished) return
    cursor.full = false
    this.#advance(cursor)
    this.settle()
  }

  /** The cursor's sink has handed on the last byte. */
  finished(cursor: Cursor): void {
    if (!cursor.present || cursor.finished) return
    cursor.finished = true
    this.#reportIfFinished()
  }

  /** The cursor's receiver is gone. Returns whether another one is present; then `settle()` has to follow. */
  leave(cursor: Cursor): boolean {
    cursor.present = false
    if (this.#cursors.some((each) => each.present)) return true
    this.#takenByLast = cursor.taken
    return false
  }

  /** The first cursor that has not moved for `stallMs` although bytes wait for it. */
  stalled(now: number, stallMs: number): Cursor | undefined {
    for (const cursor of this.#cursors) {
      if (!cursor.present || cursor.finished) continue
      const wanted = cursor.taken < this.bytesIn || this.#sourceEnded
      if (cursor.idleFor(now, wanted) >= stallMs) return cursor
    }
    return undefined
  }

  /** Frees what is kept. Nothing may be fed after this, and the source is not touched any more. */
  discard(): void {
    this.#stopClock()
    this.#flows(false)
    this.#started = false
    for (const throttle of this.#throttles) throttle.leave(this)
    this.#window.release(Number.POSITIVE_INFINITY)
  }

  /** Offers bytes that stand at the cursor's cursor. */
  #offer(cursor: Cursor, bytes: BorrowedBytes): void {
    const took = cursor.sink.write(bytes)
    cursor.taken += took
    if (cursor.sink.isFull) cursor.full = true
  }

  /** Brings the cursor as far as its sink takes. */
  #advance(cursor: Cursor): void {
    while (!cursor.full && cursor.taken < this.bytesIn) this.#offer(cursor, this.#window.at(cursor.taken))
    this.#finishIfDone(cursor)
  }

  /** Keeps the end of a chunk. Returns false when it may not. */
  #keep(bytes: BorrowedBytes, behind: number): boolean {
    // Who waits may not take the memory of those who stream.
    const spare = !this.#started
    return behind <= this.limits.holdBytes && this.#window.append(bytes, this.bytesIn - bytes.byteLength, spare)
  }

  /** Pauses or resumes the source. */
  #pace(hungry: boolean, behind: number): void {
    if (this.#sourceEnded || !this.#started) return
    // In this order: when others use all memory the window is 0, and who is not behind must not wait for a drain.
    if (behind <= this.#windowNow / 2) this.#crowded = false
    else if (behind >= this.#windowNow) this.#crowded = true
    const pause = this.#crowded || !hungry || this.#isThrottled()
    if (pause === this.#paused) return
    this.#flows(!pause)
    if (pause) this.source.pause()
    else this.source.resume()
  }

  /** Takes note of whether the source flows. */
  #flows(flows: boolean): void {
    if (flows === !this.#paused) return
    const now = this.owner.now()
    if (flows) this.#heldBackMs += now - this.#pausedAt
    else this.#pausedAt = now
    this.#paused = !flows
    this.#pool.flowing += flows ? 1 : -1
  }

  /** Waits for the first speed that is used up. */
  #isThrottled(): boolean {
    for (let i = 0; i < this.#throttles.length; i++) {
      const throttle = this.#throttles[i]!
      if (!throttle.isDry) continue
      throttle.wait(this)
      return true
    }
    return false
  }

  get #windowNow(): number {
    return this.#pool.share(this.limits.windowBytes)
  }

  /** After cursors moved or a cursor left: frees what all have taken, lets the source flow, sees whether all is done. */
  settle(): void {
    const slowest = this.slowest
    this.#window.release(slowest)
    let hungry = false
    for (const cursor of this.#cursors) if (cursor.present && !cursor.full) hungry = true
    this.#pace(hungry, this.bytesIn - slowest)
    this.#reportIfFinished()
  }

  #finishIfDone(cursor: Cursor): void {
    if (!this.#sourceEnded || !cursor.present || cursor.finishing || cursor.taken < this.bytesIn) return
    cursor.finishing = true
    cursor.finished = cursor.sink.finish()
  }

  #reportIfFinished(): void {
    if (!this.#started || !this.#sourceEnded) return
    for (const cursor of this.#cursors) if (cursor.present && !cursor.finished) return
    this.owner.streamFinished()
  }
}
