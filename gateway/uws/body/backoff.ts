const LONGEST_PAUSE_MS = 64

/**
 * Nothing reports when the kernel has room for the last bytes of a response, so it is asked again after 1, 2, 4 ms and so on,
 * up to 64 ms.
 */
export class Backoff {
  #pauseMs = 0.5

  /** Runs this after a pause twice as long as the one before. */
  retry(run: () => void): void {
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
    setTimeout(run, this.#pauseMs)
  }
}
