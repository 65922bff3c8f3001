/** A call that will come unless it is cancelled. */
export interface Deadline {
  cancel(): void
}

class Expectation implements Deadline {
  constructor(
    readonly due: number,
    readonly run: () => void,
    readonly home: Set<Expectation>,
  ) {}

  cancel(): void {
    this.home.delete(this)
  }
}

/**
 * The core's only notion of time: one coarse clock for every wait and limit. It has no timer of its own; the gateway
 * beats it from one interval, a test beats it by hand.
 */
export class Pulse {
  readonly #expected = new Set<Expectation>()

  /** @param now reads a clock in milliseconds that never goes back. */
  constructor(readonly now: () => number) {}

  /** Runs `run` once, at the first beat that is at least `ms` milliseconds from now. */
  expect(ms: number, run: () => void): Deadline {
    const expectation = new Expectation(this.now() + ms, run, this.#expected)
    this.#expected.add(expectation)
    return expectation
  }

  /** Runs everything that is due. What a run adds or cancels counts at once. */
  beat(): void {
    const now = this.now()
    for (const expectation of this.#expected) {
      if (expectation.due > now) continue
      this.#expected.delete(expectation)
      expectation.run()
    }
  }

  /** How many calls are outstanding: a leak shows here. */
  get size(): number {
    return this.#expected.size
  }
}
