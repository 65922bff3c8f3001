/** A call that will come unless it is cancelled. */
export interface Deadline {
  cancel(): void
}

const NOTHING = () => {}

class Expectation implements Deadline {
  constructor(
    readonly due: number,
    public run: () => void,
    readonly home: Set<Expectation>,
  ) {}

  /**
   * Lets go of what it would have run. V8 replaces the table of a Set or Map whenever that is full of holes, and the old one
   * goes on referring to its members and to the new one: once it has left the young generation, all that passes through the
   * Set is taken for alive. That may be this small object, but not the transfer behind it, which costs a quarter more work
   * for short transfers.
   */
  cancel(): void {
    this.home.delete(this)
    this.run = NOTHING
  }
}

/**
 * The core's only notion of time: one coarse clock for every wait and limit. It has no timer of its own; the gateway
 * beats it from one interval, a test beats it by hand.
 */
export class Clock {
  readonly #expected = new Set<Expectation>()

  /** @param now reads a clock in milliseconds that never goes back. */
  constructor(readonly now: () => number) {}

  /** Runs `run` once, at the first beat that is at least `ms` milliseconds from now. */
  after(ms: number, run: () => void): Deadline {
    const expectation = new Expectation(this.now() + ms, run, this.#expected)
    this.#expected.add(expectation)
    return expectation
  }

  /** Runs everything that is due. What a run adds or cancels counts at once. */
  tick(): void {
    const now = this.now()
    for (const expectation of this.#expected) {
      if (expectation.due > now) continue
      const { run } = expectation
      expectation.cancel()
      run()
    }
  }

  /** How many calls are outstanding: a leak shows here. */
  get size(): number {
    return this.#expected.size
  }
}
