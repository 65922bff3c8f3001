const POLL_MS = 20

/** Waits that can be cut short. */
export class InterruptibleWait {
  #interrupt: () => void = () => {}

  /**
   * Resolves when the condition holds, the time is over, or the wait is interrupted. A turn of the event loop passes in any case but
   * the last: what was told to end just before is sent at the end of the turn, and timers that are due would come first.
   */
  until(condition: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearInterval(poll)
        clearTimeout(limit)
        resolve()
      }
      const poll = setInterval(() => condition() && done(), POLL_MS)
      const limit = setTimeout(() => setImmediate(done), ms)
      this.#interrupt = done
    })
  }

  /** Ends the wait that is going on, if there is one. */
  interrupt(): void {
    this.#interrupt()
  }
}
