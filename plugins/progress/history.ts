/** So many intervals at most; then two become one. */
const MOST = 240

/** How fast a transfer was in each interval since it began, in bounded memory: the longer it runs, the longer they are. */
export class History {
  #everyMs = 1000
  /** Bytes at the end of each interval. */
  #marks: number[] = []
  #lastTime: number
  #lastBytes = 0

  constructor(readonly startedAt: number) {
    this.#lastTime = startedAt
  }

  /** Between two calls the speed counts as even. */
  add(now: number, bytes: number): void {
    for (;;) {
      const end = this.startedAt + (this.#marks.length + 1) * this.#everyMs
      if (end > now) break
      const part = (end - this.#lastTime) / (now - this.#lastTime)
      this.#marks.push(this.#lastBytes + (bytes - this.#lastBytes) * part)
      if (this.#marks.length === MOST) this.#halve()
    }
    this.#lastTime = now
    this.#lastBytes = bytes
  }

  /** Seconds that one interval lasts, and bytes per second in each. */
  get all(): { readonly everySec: number; readonly speeds: readonly number[] } {
    const everySec = this.#everyMs / 1000
    const speeds = this.#marks.map((mark, i) => Math.round((mark - (this.#marks[i - 1] ?? 0)) / everySec))
    return { everySec, speeds }
  }

  #halve(): void {
    this.#marks = this.#marks.filter((_, i) => i % 2 === 1)
    this.#everyMs *= 2
  }
}
