import { Throttle } from '../../core/index.js'

/** Short enough for a smooth flow, long enough to cost nothing. */
const REFILL_MS = 50

/** The throttles of one gateway, and their only timer, which runs while some transfer waits. */
export class Throttles {
  readonly #waiting = new Set<Throttle>()
  #timer: NodeJS.Timeout | undefined

  constructor(readonly now: () => number) {}

  /** @throws RangeError when the speed is not more than 0 */
  create(bytesPerSecond: number): Throttle {
    if (!(bytesPerSecond > 0))
      throw new RangeError(`a throttle of ${bytesPerSecond} bytes a second lets nothing through`)
    return new Throttle(bytesPerSecond, this.now, (throttle) => {
      this.#waiting.add(throttle)
      this.#timer ??= setInterval(() => this.#refill(), REFILL_MS)
    })
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
