/** Counts what runs at once under each key, up to a limit. */
export interface Concurrency {
  /** Counts one more. Returns false, and counts nothing, when the limit is reached. */
  enter(key: string): boolean
  /** Counts one less; to be called exactly once for every `enter` that returned true. */
  leave(key: string): void
}

/** The same in this thread. Keys whose count is 0 are forgotten. */
export class ConcurrencyCounter implements Concurrency {
  readonly #counts = new Map<string, number>()

  constructor(readonly limit: number) {}

  enter(key: string): boolean {
    const count = this.#counts.get(key) ?? 0
    if (count >= this.limit) return false
    this.#counts.set(key, count + 1)
    return true
  }

  leave(key: string): void {
    const count = this.#counts.get(key) ?? 0
    if (count > 1) this.#counts.set(key, count - 1)
    else this.#counts.delete(key)
  }

  /** Keys that have any. */
  get size(): number {
    return this.#counts.size
  }
}
