/** A transfer that waits for a throttle. */
export interface Throttled {
  /** There may be something to spend again: check. */
  unthrottled(): void
}

/** What may be spent of a throttle. Several may share one, also in several threads. */
export interface ThrottleBucket {
  /** Bytes; below 0 it is a debt. */
  level: number
  /** When it was filled last, on the throttle's clock, in milliseconds. */
  filledAt: number
  /** Some wait here for it to be filled. Returns whether it is their turn: nobody waits elsewhere whose turn is longer ago. Absent: it always is. */
  waits?(): boolean
  /** They have had their turn. */
  hadTurn?(): void
}

/** The size of the bucket, in seconds of its rate. A larger one would allow bursts, a smaller one would lose speed. */
const BUCKET_S = 0.1

/**
 * A speed that one or more transfers share: a token bucket. Each read spends. When nothing is left every transfer waits, and
 * when there is something again each of them may read once, so that all get the same however fast they could be. What was
 * read beyond the level stays a debt, so the average holds.
 */
export class Throttle {
  readonly #bucket: ThrottleBucket
  readonly #waiting: Throttled[] = []
  #isRefilling = false

  /**
   * @param bytesPerSecond more than 0
   * @param now reads a clock in milliseconds that never goes back
   * @param onWait called when the first transfer begins to wait: from then on `refill` has to be called until it returns false
   * @param bucket one that others spend of as well; without it, a full one of its own
   */
  constructor(
    readonly bytesPerSecond: number,
    readonly now: () => number,
    readonly onWait: (throttle: Throttle) => void,
    bucket: ThrottleBucket = { level: bytesPerSecond * BUCKET_S, filledAt: now() },
  ) {
    this.#bucket = bucket
    this.#fill()
  }

  /** Bytes have been read. */
  spend(bytes: number): void {
    this.#fill()
    this.#bucket.level -= bytes
  }

  /** Nothing may be read now. */
  get isDry(): boolean {
    return this.#bucket.level <= 0
  }

  /** Calls `unthrottled` once, when there is something to spend again. */
  wait(transfer: Throttled): void {
    if (this.#waiting.includes(transfer)) return
    this.#waiting.push(transfer)
    if (this.#waiting.length === 1 && !this.#isRefilling) this.onWait(this)
  }

  /** Removes a transfer that may be waiting. */
  leave(transfer: Throttled): void {
    const at = this.#waiting.indexOf(transfer)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** Lets all that wait go on if there is something to spend. Returns whether any still wait. */
  refill(): boolean {
    this.#fill()
    if (this.#waiting.length > 0 && (this.#bucket.waits?.() ?? true) && !this.isDry) {
      this.#bucket.hadTurn?.()
      this.#releaseAll()
    }
    return this.#waiting.length > 0
  }

  /** One at a time: one that leaves meanwhile is not called, one that comes waits for the next time, and a throw loses none. */
  #releaseAll(): void {
    this.#isRefilling = true
    try {
      for (let left = this.#waiting.length; left > 0; left--) this.#waiting.shift()?.unthrottled()
    } finally {
      this.#isRefilling = false
    }
  }

  #fill(): void {
    const now = this.now()
    const capacity = this.bytesPerSecond * BUCKET_S
    const bucket = this.#bucket
    bucket.level = Math.min(capacity, bucket.level + ((now - bucket.filledAt) / 1000) * this.bytesPerSecond)
    bucket.filledAt = now
  }
}
