/** How many there are of each key, at most so many. Keys that have none are forgotten. */
export class ConcurrencyCounter {
  readonly #counts = new Map<string, number>()

  constructor(readonly most: number) {}

  /** One more. Returns false, and counts nothing, when there are as many as may be. */
  enter(key: string): boolean {
    const count = this.#counts.get(key) ?? 0
    if (count >= this.most) return false
    this.#counts.set(key, count + 1)
    return true
  }

  /** One less, exactly once for every `enter` that returned true. */
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
