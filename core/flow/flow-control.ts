import type { Source } from '../ports.js'
import type { Throttle, Throttled } from '../throttle.js'
import type { SlabPool } from './slab-pool.js'

/**
 * Decides when the source of a stream is read, and measures for how long it is not.
 *
 * The source flows while some receiver has room, the slowest receiver is not too far behind, and no throttle is used up. Too far
 * means: from the high-water mark, a window behind, until the low-water mark, half of a window. When all receivers are full a
 * pause delays nobody, and what is not read need not be kept.
 */
export class FlowControl {
  #started = false
  #stopped = false
  #paused = true
  /** The slowest receiver has reached the high-water mark, and not come back to the low-water mark since. */
  #overHighWater = false
  /** Speeds that the source must keep. */
  #throttles: readonly Throttle[] = []
  /** When the source was paused last, and for how long it had been paused before. */
  #pausedAt = 0
  #heldBackMs = 0

  /** @param waiter is called when a throttle has something to spend again */
  constructor(
    readonly source: Source,
    readonly windowBytes: number,
    readonly pool: SlabPool,
    readonly clock: { now(): number },
    readonly waiter: Throttled,
  ) {}

  /** The stream begins. `bytesRead` came while the sender waited. */
  start(throttles: readonly Throttle[], bytesRead: number): void {
    this.#started = true
    this.#pausedAt = this.clock.now()
    this.#throttles = throttles
    // What came while it waited counts too. Otherwise short streams whose sender comes first would be free.
    this.spend(bytesRead)
  }

  /** The stream waits again, as before its start: the source is held until the next one. */
  suspend(): void {
    this.#heldBackMs = this.heldBackMs
    this.leaveThrottles()
    this.#throttles = []
    const isFlowing = !this.#paused
    this.#setFlowing(false)
    this.#started = false
    this.#overHighWater = false
    if (isFlowing) this.source.pause()
  }

  /** Bytes have been read. */
  spend(bytes: number): void {
    for (let i = 0; i < this.#throttles.length; i++) this.#throttles[i]!.spend(bytes)
  }

  /**
   * Pauses or resumes the source.
   * @param hasRoom some receiver can take more
   * @param behind how many bytes the slowest receiver has still to take
   */
  update(hasRoom: boolean, behind: number): void {
    if (this.#stopped || !this.#started) return
    // Test the low mark first: when others use all memory the window is 0, and a receiver that is not behind never drains.
    if (behind <= this.#highWater / 2) this.#overHighWater = false
    else if (behind >= this.#highWater) this.#overHighWater = true
    const pause = this.#overHighWater || !hasRoom || this.#isThrottled()
    if (pause === this.#paused) return
    this.#setFlowing(!pause)
    if (pause) this.source.pause()
    else this.source.resume()
  }

  /** For how long the source has been paused between the start and the stop, in milliseconds. */
  get heldBackMs(): number {
    const isHeldBack = this.#started && this.#paused && !this.#stopped
    return this.#heldBackMs + (isHeldBack ? this.clock.now() - this.#pausedAt : 0)
  }

  /** The source has nothing more to read, or is not needed any more. It is not touched after this. */
  stop(): void {
    this.#heldBackMs = this.heldBackMs
    this.#setFlowing(false)
    this.#stopped = true
  }

  /** Waits for no throttle any more. */
  leaveThrottles(): void {
    for (const throttle of this.#throttles) throttle.leave(this.waiter)
  }

  /** Records whether the source flows. */
  #setFlowing(flowing: boolean): void {
    if (flowing === !this.#paused) return
    const now = this.clock.now()
    if (flowing) this.#heldBackMs += now - this.#pausedAt
    else this.#pausedAt = now
    this.#paused = !flowing
    this.pool.flowingSources += flowing ? 1 : -1
  }

  /** Waits for the first throttle that is used up. */
  #isThrottled(): boolean {
    for (let i = 0; i < this.#throttles.length; i++) {
      const throttle = this.#throttles[i]!
      if (!throttle.isDry) continue
      throttle.wait(this.waiter)
      return true
    }
    return false
  }

  /** A window, or less while memory is scarce. */
  get #highWater(): number {
    return this.pool.share(this.windowBytes)
  }
}
