/** Repeating timers that all end together. They do not keep the process alive. */
export class Timers {
  readonly #timers: NodeJS.Timeout[] = []
  #stopped = false

  /** Does nothing once the timers have been stopped. */
  every(ms: number, run: () => void): void {
    if (!this.#stopped) this.#timers.push(setInterval(run, ms).unref())
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
  }
}
