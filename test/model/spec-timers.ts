interface Timer {
  readonly due: number
  readonly owner: object
  readonly run: () => void
}

/** The specification's clock. */
export class SpecTimers {
  now = 0
  #timers: Timer[] = []

  /** How many calls are outstanding. */
  get size(): number {
    return this.#timers.length
  }

  /** Time passes. Everything that is due runs, in the order in which it was added. */
  advance(ms: number): void {
    this.now += ms
    for (;;) {
      const i = this.#timers.findIndex((timer) => timer.due <= this.now)
      if (i === -1) return
      const [timer] = this.#timers.splice(i, 1)
      timer!.run()
    }
  }

  after(ms: number, owner: object, run: () => void): void {
    this.#timers.push({ due: this.now + ms, owner, run })
  }

  /** Cancels everything of this owner. */
  cancel(owner: object): void {
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner)
  }
}
