import type { WindowConfig } from './config.js'

/** Points for each key, in a window of time that begins with its first one. */
export interface Windows {
  /** Takes a point. Returns 0, or in how many milliseconds there is one again. */
  take(key: string): number
  /** Drops windows that are over. */
  forgetOld(): void
}

interface Window {
  used: number
  readonly endsAt: number
}

/**
 * Counts in this process: each key has `points` in a window of time that begins with its first one. What is refused is not
 * counted, so that a client that waits as long as it is told gets in.
 */
export class FixedWindowLimiter implements Windows {
  /** All windows are equally long, so the order in which they began is the order in which they end. */
  readonly #windows = new Map<string, Window>()
  readonly #points: number
  readonly #ms: number

  constructor(
    { points, seconds }: WindowConfig,
    readonly maxKeys: number,
    readonly now: () => number,
  ) {
    this.#points = points
    this.#ms = seconds * 1000
  }

  take(key: string): number {
    this.forgetOld()
    const found = this.#windows.get(key)
    if (found === undefined) {
      if (this.#windows.size >= this.maxKeys) this.#forgetFirst()
      this.#windows.set(key, { used: 1, endsAt: this.now() + this.#ms })
      return 0
    }
    if (found.used >= this.#points) return found.endsAt - this.now()
    found.used++
    return 0
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#windows.size
  }

  forgetOld(): void {
    const now = this.now()
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > now) return
      this.#windows.delete(key)
    }
  }

  #forgetFirst(): void {
    for (const key of this.#windows.keys()) {
      this.#windows.delete(key)
      return
    }
  }
}
