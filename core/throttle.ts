/** A transfer that has to wait for its share. */
export interface Throttled {
  /** There may be something to spend again: look. */
  unthrottled(): void
}

/** How far a throttle may save up while nobody spends, in seconds. More would make bursts, less would lose speed. */
const SAVES_S = 0.1

/**
 * A speed that one or many transfers share: a token bucket. Whoever reads spends; when nothing is left everybody waits, and
 * when there is something again everybody who waits may read once, so that all get the same however fast they could be.
 * What was read beyond the level stays a debt, so the average holds.
 */
export class Throttle {
  #level: number
  #filledAt: number
  readonly #waiting: Throttled[] = []
  #isRefilling = false

  /**
   * @param bytesPerSecond more than 0
   * @param now reads a clock in milliseconds that never goes back
   * @param onWait called when the first one begins to wait: from then on `refill` has to be called until it returns false
   */
  constructor(
    readonly bytesPerSecond: number,
    readonly now: () => number,
    readonly onWait: (throttle: Throttle) => void,
  ) {
    this.#level = bytesPerSecond * SAVES_S
    this.#filledAt = now()
  }

  /** Bytes have been read. */
  spend(bytes: number): void {
    this.#fill()
    this.#level -= bytes
  }

  /** Nothing may be read now. */
  get isDry(): boolean {
    return this.#level <= 0
  }

  /** Calls `unthrottled` once, when there is something to spend again. */
  wait(who: Throttled): void {
    if (this.#waiting.includes(who)) return
    this.#waiting.push(who)
    if (this.#waiting.length === 1 && !this.#isRefilling) this.onWait(this)
  }

  /** Somebody who may wait is gone. */
  leave(who: Throttled): void {
    const at = this.#waiting.indexOf(who)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** Lets everybody go on if there is something to spend. Returns whether anybody still waits. */
  refill(): boolean {
    this.#fill()
    if (!this.isDry) this.#letGo()
    return this.#waiting.length > 0
  }

  /** One at a time: who leaves meanwhile is not called, who comes waits for the next time, and a throw loses nobody. */
  #letGo(): void {
    this.#isRefilling = true
    try {
      for (let left = this.#waiting.length; left > 0; left--) this.#waiting.shift()?.unthrottled()
    } finally {
      this.#isRefilling = false
    }
  }

  #fill(): void {
    const now = this.now()
    const most = this.bytesPerSecond * SAVES_S
    this.#level = Math.min(most, this.#level + ((now - this.#filledAt) / 1000) * this.bytesPerSecond)
    this.#filledAt = now
  }
}
