/** A call that comes later unless it is cancelled. */
export interface Deadline {
  cancel(): void
}

const NOTHING = () => {}

class ScheduledCall implements Deadline {
  constructor(
    readonly due: number,
    public run: () => void,
    readonly calls: Set<ScheduledCall>,
  ) {}

  /**
   * Drops the reference to what it would have run. V8 replaces the table of a Set or Map when it has too many holes, and the
   * old table goes on referring to its members and to the new table. Once the old table has left the young generation,
   * everything that passes through the Set counts as alive. That may be this small object, but must not be the transfer
   * behind it: keeping that alive costs short transfers a quarter more work.
   */
  cancel(): void {
    this.calls.delete(this)
    this.run = NOTHING
  }
}

/**
 * The core's only notion of time: one coarse clock for every wait and limit. It has no timer of its own: the gateway
 * calls `tick` from one interval, a test calls it by hand.
 */
export class Clock {
  readonly #calls = new Set<ScheduledCall>()

  /** @param now reads a clock in milliseconds that never goes back. */
  constructor(readonly now: () => number) {}

  /** Runs `run` once, at the first tick that is at least `ms` milliseconds from now. */
  after(ms: number, run: () => void): Deadline {
    const call = new ScheduledCall(this.now() + ms, run, this.#calls)
    this.#calls.add(call)
    return call
  }

  /** Runs everything that is due. Calls that are added or cancelled by one of them count at once. */
  tick(): void {
    const now = this.now()
    for (const call of this.#calls) {
      if (call.due > now) continue
      const { run } = call
      call.cancel()
      run()
    }
  }

  /** How many calls are outstanding. A leak shows here. */
  get size(): number {
    return this.#calls.size
  }
}
