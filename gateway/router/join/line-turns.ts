/** The lines of one upload take their turns: so many of them, and then everybody else has one. */
export class LineTurns {
  /** A turn is over, and the next one has not come. */
  isResting = false
  #lines = 0

  /**
   * @param most lines of a turn
   * @param next goes on. Must not throw
   */
  constructor(
    readonly most: number,
    readonly next: () => void,
  ) {}

  /** One line more has been dealt with. Returns whether another one may follow in this turn. */
  took(): boolean {
    this.#lines++
    if (this.#lines < this.most) return true
    this.#lines = 0
    this.isResting = true
    // A microtask would let nobody in.
    setImmediate(() => {
      this.isResting = false
      this.next()
    })
    return false
  }
}
