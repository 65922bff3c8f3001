import type { BorrowedBytes } from '../bytes.js'
import type { SlabPool } from '../flow/slab-pool.js'
import type { TurnBudget } from '../flow/turn-budget.js'
import { Window } from '../flow/window.js'
import type { PipeView } from '../pipe-view.js'
import type { TopicFormat } from '../topic-options.js'
import type { TopicCursor } from './topic-cursor.js'

const NOTHING = new Uint8Array()

/**
 * The messages of a topic in one format, and those who read them. Subscribers come and go, and each is at its own place; what
 * somebody has not taken is kept once for all.
 *
 * The hot path: in a gateway no sink takes anything before the end of the turn. So the first message of a turn is offered to
 * everybody, and the others only go into the window, whoever many subscribers there are; at the end of the turn each takes all of
 * them at once, from a view that all share. How far the slowest is follows from a count of those who are there, so that
 * nobody who moves makes anybody look at all the others.
 */
export class MessageStream {
  /** Bytes that all subscribers together have taken, without the opening. */
  sent = 0
  /** What the next message looks like, between `encode` and `feed`. */
  next: BorrowedBytes = NOTHING
  /** Offset behind the last byte. */
  #end = 0
  /** Offset of the slowest, and how many are there. */
  #slowest = 0
  #atSlowest = 0
  #isClosing = false
  readonly #window: Window
  readonly #cursors: TopicCursor[] = []
  readonly #ready: TopicCursor[] = []
  /** The bytes from one offset to another, as they were looked up last. */
  #view: BorrowedBytes = NOTHING
  #viewFrom = -1
  #viewTo = -1

  constructor(
    readonly name: string,
    readonly format: TopicFormat,
    readonly pool: SlabPool,
    readonly turn: TurnBudget,
  ) {
    this.#window = new Window(pool)
  }

  /** How far behind the slowest is, in bytes. */
  get behind(): number {
    return this.#end - this.#slowest
  }

  get isEmpty(): boolean {
    return this.#cursors.length === 0
  }

  /** A subscriber comes. It gets what is fed from now on. */
  add(cursor: TopicCursor, topic: PipeView): void {
    cursor.startAt(this.#end)
    cursor.preface = this.format.opening ?? null
    this.#cursors.push(cursor)
    if (this.#slowest === this.#end) this.#atSlowest++
    cursor.sink.begin(this.format.head, topic, 0)
    this.#advance(cursor)
  }

  leave(cursor: TopicCursor): void {
    cursor.present = false
    remove(this.#cursors, cursor)
    if (cursor.isReady) remove(this.#ready, cursor)
    this.#hasGone(cursor.at)
  }

  /** Everybody gets these bytes. The pool must have room for them. */
  feed(bytes: BorrowedBytes): void {
    const before = this.#end
    this.#end += bytes.byteLength
    this.#offerAll(bytes)
    if (this.#slowest === before) this.#findSlowest()
    if (this.#slowest === this.#end) return
    const isCrowd = this.#cursors.length > this.turn.few
    if (this.#window.append(bytes, before, isCrowd ? 'crowd' : 'streaming')) return
    throw new RangeError('the pool has less room than it said')
  }

  /** The subscriber's sink has room again. */
  drained(cursor: TopicCursor): void {
    if (!cursor.present || cursor.finished) return
    const { at } = cursor
    cursor.full = false
    this.#advance(cursor)
    cursor.isBlocked = cursor.full && !cursor.isPostponed
    if (cursor.at > at) this.#hasGone(at)
  }

  /** Nothing is fed any more: who has everything is told to finish. */
  close(): void {
    if (this.format.closing !== undefined) this.feed(this.format.closing)
    this.#isClosing = true
    for (const cursor of this.#cursors) this.#finishIfDone(cursor)
  }

  /**
   * Those who are at least so many bytes behind, although they have been served.
   * @param isLater so long after it was fed that who was not postponed has been
   */
  behindBy(bytes: number, isLater = false): TopicCursor[] {
    const isServed = ({ isBlocked, isPostponed }: TopicCursor) => isBlocked || (isLater && !isPostponed)
    return this.#cursors.filter((each) => each.at < this.#end && this.#end - each.at >= bytes && isServed(each))
  }

  /** Those to whom nothing has been delivered for so long although something waits for them. */
  stalled(now: number, stallMs: number): TopicCursor[] {
    const isOwed = ({ at, preface }: TopicCursor) => at < this.#end || preface !== null
    return this.#cursors.filter((cursor) => cursor.idleFor(now, isOwed(cursor)) >= stallMs)
  }

  /** Frees what is kept. */
  discard(): void {
    this.#window.release(Number.POSITIVE_INFINITY)
    this.#view = NOTHING
  }

  #offerAll(bytes: BorrowedBytes): void {
    const ready = this.#ready
    let left = 0
    for (let i = 0; i < ready.length; i++) {
      const cursor = ready[i]!
      this.#offer(cursor, bytes)
      if (cursor.full) cursor.isReady = false
      else ready[left++] = cursor
    }
    ready.length = left
  }

  #offer(cursor: TopicCursor, bytes: BorrowedBytes): void {
    const turn = this.#cursors.length > this.turn.few ? this.turn : null
    if (turn?.isSpent) {
      cursor.full = true
      cursor.isPostponed = true
      cursor.sink.postpone()
      return
    }
    cursor.isPostponed = false
    const took = cursor.sink.write(bytes)
    cursor.at += took
    this.sent += took
    if (cursor.sink.isFull) {
      cursor.full = true
      // One that takes nothing waits for its turn, more often than not.
      cursor.isBlocked = took > 0 && took < bytes.byteLength
    }
    turn?.spend(took)
  }

  /** Brings the cursor as far as its sink takes. */
  #advance(cursor: TopicCursor): void {
    this.#offerPreface(cursor)
    while (!cursor.full && cursor.at < this.#end) this.#offer(cursor, this.#from(cursor.at))
    if (this.#isClosing) this.#finishIfDone(cursor)
    else if (!cursor.full && !cursor.isReady) {
      cursor.isReady = true
      this.#ready.push(cursor)
    }
  }

  #offerPreface(cursor: TopicCursor): void {
    const { preface, sink } = cursor
    if (preface === null || cursor.full) return
    const took = sink.write(preface)
    if (sink.isFull) cursor.full = true
    cursor.preface = took < preface.byteLength ? preface.subarray(took) : null
  }

  #finishIfDone(cursor: TopicCursor): void {
    if (cursor.finishing || cursor.preface !== null || cursor.at < this.#end) return
    cursor.finishing = true
    cursor.finished = cursor.sink.finish()
  }

  /** What is kept from this offset on, in one view for all who are there. */
  #from(offset: number): BorrowedBytes {
    if (offset !== this.#viewFrom || this.#end !== this.#viewTo) {
      this.#view = this.#window.at(offset)
      this.#viewFrom = offset
      this.#viewTo = this.#end
    }
    return this.#view
  }

  /** One who was here is here no more. */
  #hasGone(at: number): void {
    if (at === this.#slowest && --this.#atSlowest === 0) this.#findSlowest()
  }

  #findSlowest(): void {
    let slowest = this.#end
    let count = 0
    for (const { at } of this.#cursors) {
      if (at > slowest) continue
      if (at < slowest) count = 0
      slowest = at
      count++
    }
    this.#slowest = slowest
    this.#atSlowest = count
    this.#window.release(slowest)
  }
}

/** Their order does not matter. */
function remove<T>(list: T[], one: T): void {
  const last = list.pop()!
  if (last !== one) list[list.indexOf(one)] = last
}
