/** Looks at a process every 100 ms. */

import type { Point } from './client/stream-jobs.js'
import { residentBytes } from './proc.js'

/** Resident memory of one process over time. */
export class MemoryWatch {
  readonly points: Point[] = []
  readonly #pid: number
  readonly #tick: NodeJS.Timeout

  constructor(pid: number) {
    this.#pid = pid
    this.#look()
    this.#tick = setInterval(() => this.#look(), 100)
  }

  /** Looks once more and ends. */
  stop(): this {
    clearInterval(this.#tick)
    this.#look()
    return this
  }

  /** The most that was seen, in bytes. */
  get peak(): number {
    return Math.max(...this.points.map(([, bytes]) => bytes))
  }

  /** How much more than at the start was seen, in bytes. */
  get growth(): number {
    return this.peak - this.points[0]![1]
  }

  #look(): void {
    try {
      this.points.push([Date.now(), residentBytes(this.#pid)])
    } catch {
      // A relay that ends after one transfer has no memory any more.
    }
  }
}
