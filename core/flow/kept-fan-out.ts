import type { BorrowedBytes } from '../bytes.js'
import type { Limits } from '../limits.js'
import type { Source } from '../ports.js'
import type { Cursor } from './cursor.js'
import { FanOut } from './fan-out.js'
import type { FanOutListener } from './fan-out-listener.js'
import type { SlabPool } from './slab-pool.js'
import type { TurnBudget } from './turn-budget.js'

/** So much is read for a receiver that may still be gone, in bytes. What one read brings may be more. */
const UNTAKEN_BYTES = 64 * 1024

export interface KeptFanOutListener extends FanOutListener {
  /** The receiver's machine has acknowledged a byte of the stream. */
  streamTaken(): void
}

/**
 * A stream to one receiver that can be given to another one as long as nothing of it has arrived: until then everything that
 * was read is kept, and not much more is read.
 */
export class KeptFanOut extends FanOut {
  #isTaken = false
  readonly #untakenBytes: number

  constructor(
    source: Source,
    limits: Pick<Limits, 'windowBytes' | 'holdBytes'>,
    pool: SlabPool,
    readonly keptListener: KeptFanOutListener,
    budget: TurnBudget,
    reserved: number,
  ) {
    super(source, limits, pool, keptListener, budget, reserved)
    this.#untakenBytes = Math.min(UNTAKEN_BYTES, limits.windowBytes)
  }

  /** Something of it has arrived. */
  get isTaken(): boolean {
    return this.#isTaken
  }

  /** Looks whether something has arrived: nothing reports it. */
  look(): void {
    const cursor = this.cursors[0]
    if (this.#isTaken || cursor?.present !== true || !cursor.sink.hasArrived()) return
    this.takeForTaken()
    this.settle()
  }

  /** It is known to have arrived. */
  takeForTaken(): void {
    if (this.#isTaken) return
    this.#isTaken = true
    this.keptListener.streamTaken()
  }

  /** The receiver is gone, and nothing has arrived: it waits for another one, as before the start. */
  giveBack(): void {
    for (const cursor of this.cursors) cursor.present = false
    this.cursors = []
    this.started = false
    this.digest = null
    this.flow.suspend()
  }

  override feed(chunk: BorrowedBytes): void {
    if (!this.#isTaken) this.look()
    super.feed(chunk)
  }

  override drained(cursor: Cursor): void {
    if (!this.#isTaken) this.look()
    super.drained(cursor)
  }

  protected override get neededFrom(): number {
    return this.#isTaken ? super.neededFrom : 0
  }

  protected override pace(hasRoom: boolean, behind: number): void {
    const isEnough = !this.#isTaken && this.bytesIn >= this.#untakenBytes
    super.pace(hasRoom, isEnough ? Number.POSITIVE_INFINITY : this.#isTaken ? behind : 0)
  }
}
