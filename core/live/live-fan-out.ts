import type { BorrowedBytes, OwnedBytes } from '../bytes.js'
import { FanOut } from '../flow/fan-out.js'
import type { SlabPool } from '../flow/slab-pool.js'
import type { TurnBudget } from '../flow/turn-budget.js'
import type { PipeView } from '../pipe-view.js'
import type { Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import type { Throttle } from '../throttle.js'
import { EntryPoints } from './entry-points.js'
import type { LiveCursor, Waiting } from './live-cursor.js'
import type { LiveFanOutListener, LiveFanOutOptions } from './live-fan-out-options.js'

/**
 * The fan-out of a live stream: receivers come and go while it flows. One that comes late begins at the next byte, or, where the
 * stream is WebM, at the next keyframe, with the header in front. One that falls behind does not hold up the source, unless
 * that is wanted (`hold`): parts of the stream are left out for it (`skip`), or it is cut.
 */
export class LiveFanOut extends FanOut<LiveCursor> {
  /** How often parts were left out for somebody. */
  skips = 0
  readonly #entries = new EntryPoints()
  /** Those that are offered bytes: the same array as `cursors`. */
  readonly #reading: LiveCursor[] = []
  #waiting: Waiting[] = []
  /** While nobody is there what comes is kept from here on, if the source waits for viewers. */
  #heldFrom = 0
  /** What those who have left had taken. */
  #sentBefore = 0
  /** How many viewers could not be served in this turn, and have not been served since. */
  #postponed = 0
  #head: StreamHead | undefined
  #pipe: PipeView | undefined

  constructor(
    source: Source,
    pool: SlabPool,
    override readonly listener: LiveFanOutListener,
    turn: TurnBudget,
    readonly options: LiveFanOutOptions,
  ) {
    super(source, options.limits, pool, listener, turn, options.reserved)
  }

  override start(
    cursors: readonly LiveCursor[],
    head: StreamHead,
    pipe: PipeView,
    throttles: readonly Throttle[] = [],
  ): void {
    this.#head = head
    this.#pipe = pipe
    for (const cursor of cursors) {
      cursor.begun = true
      this.#reading.push(cursor)
    }
    super.start(this.#reading, head, pipe, throttles)
  }

  /** A viewer comes while the stream flows. */
  admit(cursor: LiveCursor): void {
    const from = this.#holdsForNobody ? this.#heldFrom : this.bytesIn
    if (from === 0) this.#begin(cursor, 0, undefined)
    else {
      this.#wait({ cursor, from, header: undefined })
      this.#beginWaiting()
    }
    this.settle()
  }

  override feed(chunk: BorrowedBytes): void {
    this.#entries.read(chunk)
    if (this.#waiting.length > 0 && this.started) {
      this.#beginWaiting()
      this.#release()
    }
    super.feed(chunk)
    if (this.started && !this.#isPaced) this.#judge()
  }

  override drained(cursor: LiveCursor): void {
    this.#isServed(cursor)
    if (cursor.waits) cursor.full = false
    else super.drained(cursor)
  }

  /** Who still waits for an entry gets nothing more. */
  override end(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { cursor } of waiting) {
      cursor.waits = false
      this.#begin(cursor, this.bytesIn, undefined)
    }
    super.end()
  }

  override leave(cursor: LiveCursor): boolean {
    cursor.present = false
    this.#sentBefore += cursor.taken
    this.#isServed(cursor)
    if (cursor.waits) this.#waiting = this.#waiting.filter((each) => each.cursor !== cursor)
    else this.#stopReading(cursor)
    const isLast = this.#reading.length + this.#waiting.length === 0
    if (isLast) this.#heldFrom = this.bytesIn
    return !isLast
  }

  override get sent(): number {
    return this.#waiting.reduce((sum, { cursor }) => sum + cursor.taken, super.sent + this.#sentBefore)
  }

  /** Viewers go, and what they had counts on. */
  override get progress(): number {
    let progress = this.bytesIn + this.#sentBefore
    for (const cursor of this.#reading) progress += cursor.delivered - cursor.from
    for (const { cursor } of this.#waiting) progress += cursor.delivered - cursor.from
    return progress
  }

  /** Parts that were left out are not what receivers did not want. */
  override get skipped(): number {
    return 0
  }

  /** The source is held back because nobody is there. */
  override get awaitsReceivers(): boolean {
    return this.started && this.#holdsForNobody
  }

  protected override get wantedByNobody(): number {
    return this.neededFrom
  }

  protected override get neededFrom(): number {
    if (this.#holdsForNobody) return this.#heldFrom
    const { undecided } = this.#entries
    if (undecided === undefined) return this.bytesIn
    const isWanted = this.#waiting.some(({ from }) => from <= undecided)
    return isWanted ? Math.min(undecided, this.bytesIn) : this.bytesIn
  }

  protected override pace(hasRoom: boolean, behind: number): void {
    if (this.#isPaced) super.pace(hasRoom || this.#waiting.length > 0, behind)
    // Nobody is to fall behind because the gateway has not come round to them. Viewers cannot hold the source in this way: each is
    // served in one of the next turns, and then has room or is full.
    else super.pace(this.#postponed === 0, 0)
  }

  /** When there is no room, who is furthest behind goes, until there is, or nobody is left who needs the bytes. */
  protected override keep(bytes: BorrowedBytes, behind: number): boolean {
    if (this.#isPaced || !this.started) return super.keep(bytes, behind)
    const offset = this.bytesIn - bytes.byteLength
    const budget = this.pool.share(this.options.live.budgetBytes)
    while (this.window.held + bytes.byteLength > budget && this.#giveUpOne());
    let kept = 0
    while (Math.min(this.slowest, this.neededFrom) < this.bytesIn) {
      if (this.append(bytes.subarray(kept), offset + kept)) break
      kept = Math.max(kept, this.window.end - offset)
      if (!this.#giveUpOne()) break
    }
    return true
  }

  protected override offer(cursor: LiveCursor, bytes: BorrowedBytes): void {
    cursor.offeredTo = cursor.at + bytes.byteLength
    if (this.turn?.isSpent) {
      cursor.isPostponed = true
      this.#postponed++
    }
    super.offer(cursor, bytes)
  }

  protected override advance(cursor: LiveCursor): void {
    if (!this.#offerPreface(cursor)) return
    while (!cursor.full && !cursor.waits && cursor.at < this.bytesIn) {
      const most = (cursor.stop?.offset ?? Number.POSITIVE_INFINITY) - cursor.at
      if (most === 0) {
        this.#skipFrom(cursor)
        continue
      }
      const bytes = this.window.at(cursor.at)
      this.offer(cursor, most < bytes.byteLength ? bytes.subarray(0, most) : bytes)
    }
    this.finishIfDone(cursor)
  }

  protected override finishIfDone(cursor: LiveCursor): void {
    if (cursor.preface === null) super.finishIfDone(cursor)
  }

  #isServed(cursor: LiveCursor): void {
    if (!cursor.isPostponed) return
    cursor.isPostponed = false
    this.#postponed--
  }

  get #isPaced(): boolean {
    return this.options.slow === 'hold'
  }

  get #holdsForNobody(): boolean {
    return this.#isPaced && this.#reading.length + this.#waiting.length === 0
  }

  /** Begins, or goes on, at this offset; nothing before it is offered. */
  #begin(cursor: LiveCursor, offset: number, header: OwnedBytes | undefined): void {
    this.#reading.push(cursor)
    if (this.#reading.length > this.budget.few) this.turn = this.budget
    cursor.preface = header ?? null
    if (cursor.begun) cursor.goOnAt(offset)
    else {
      cursor.begun = true
      cursor.startAt(offset)
      cursor.sink.begin(this.#head!, this.#pipe!, offset)
    }
    this.advance(cursor)
  }

  #wait(waiting: Waiting): void {
    waiting.cursor.waits = true
    this.#waiting.push(waiting)
  }

  /** Begins all for whom there is a place now. What has been read and is not kept begins with the next chunk. */
  #beginWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) {
      const { cursor } = each
      const next = this.window.held > 0 ? Math.max(each.from, this.window.from) : this.bytesIn
      const place = this.#entries.placeFor(each, next)
      if (place === undefined) {
        this.#waiting.push(each)
        continue
      }
      cursor.waits = false
      this.#begin(cursor, place.offset, place.header === each.header ? undefined : place.header)
    }
  }

  /** What is left of a header goes first. Returns false while the sink has not taken it. */
  #offerPreface(cursor: LiveCursor): boolean {
    const { preface, sink } = cursor
    if (preface === null) return true
    if (cursor.full) return false
    const took = sink.write(preface)
    if (sink.isFull) cursor.full = true
    cursor.preface = took < preface.byteLength ? (preface.subarray(took) as OwnedBytes) : null
    return cursor.preface === null
  }

  /** Leaves parts out, or cuts, for everybody who is too far behind. */
  #judge(): void {
    const { live, lagBytes } = this.options
    const { hasParts } = this.#entries
    const maySkip = hasParts && this.options.slow !== 'cut'
    for (let i = this.#reading.length - 1; i >= 0; i--) {
      const cursor = this.#reading[i]!
      const behind = this.bytesIn - cursor.at
      if (maySkip && cursor.options.slow !== 'cut') {
        if (behind > live.skipFromBytes) cursor.stop ??= this.#entries.atOrAfter(cursor.offeredTo)
      } else if (behind > lagBytes) this.listener.cutBehind(cursor)
    }
  }

  /** It is at the end of a part, and goes on with a later one, unless it has caught up. */
  #skipFrom(cursor: LiveCursor): void {
    const { offset, header } = cursor.stop!
    cursor.stop = undefined
    const from = this.bytesIn - this.options.live.skipToBytes
    if (offset >= from) return
    this.skips++
    this.#stopReading(cursor)
    this.#wait({ cursor, from, header })
    this.#beginWaiting()
  }

  #stopReading(cursor: LiveCursor): void {
    const index = this.#reading.indexOf(cursor)
    if (index >= 0) this.#reading.splice(index, 1)
  }

  /** Memory is short: who is furthest behind goes. Returns false when nobody is behind any more. */
  #giveUpOne(): boolean {
    let furthest: LiveCursor | undefined
    for (const cursor of this.#reading) if (cursor.at < (furthest?.at ?? this.bytesIn)) furthest = cursor
    if (furthest !== undefined) this.listener.cutBehind(furthest)
    // Who waits for an entry does so from the next byte on.
    else this.#waiting = this.#waiting.map((each) => ({ ...each, from: this.bytesIn }))
    this.#release()
    return furthest !== undefined
  }

  #release(): void {
    const needed = Math.min(this.slowest, this.neededFrom)
    this.window.release(needed)
    this.#entries.release(needed)
  }
}
