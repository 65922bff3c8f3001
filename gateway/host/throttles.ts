import { Throttle, type ThrottleBucket } from '../../core/index.js'

/** Short enough for a smooth flow, long enough to cost nothing. */
const REFILL_MS = 50

/** The throttles of one gateway, and their only timer, which runs while some transfer waits. */
export class Throttles {
  readonly #waiting = new Set<Throttle>()
  #timer: NodeJS.Timeout | undefined

  constructor(readonly now: () => number) {}

  /**
   * @param bucket one that others spend of as well
   * @throws RangeError when the speed is not more than 0
   */
  create(bytesPerSecond: number, bucket?: ThrottleBucket): Throttle {
    if (!(bytesPerSecond > 0))
      throw new RangeError(`a throttle of ${bytesPerSecond} bytes a second lets nothing through`)
    const onWait = (throttle: Throttle) => {
      this.#waiting.add(throttle)
      this.#timer ??= setInterval(() => this.#refill(), REFILL_MS)
    }
    return new Throttle(bytesPerSecond, this.now, onWait, bucket)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #refill(): void {
    for (const throttle of this.#waiting) if (!throttle.refill()) this.#waiting.delete(throttle)
    if (this.#waiting.size === 0) this.stop()
  }
}
