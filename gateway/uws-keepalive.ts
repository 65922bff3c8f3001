import type { HttpResponse } from 'uWebSockets.js'

/** uWebSockets closes a connection 8 to 12 s after it last armed its 10 s timer; every 4 s is early enough. */
const PERIOD_MS = 4000

/** A response whose connection uWebSockets would time. */
export interface Timed {
  readonly res: HttpResponse
  /** Its reading is paused: then it has no timer, and must not be resumed here. */
  readonly isPaused: boolean
  /** A paused socket is not polled, so nobody says that its peer has gone: have a look. */
  lookForPeer(): void
}

/**
 * Keeps uWebSockets' own timers from deciding: they would close a sender that is quiet, or a receiver that reads slowly,
 * after ten seconds. Our limits are in the core.
 *
 * `pause()` followed at once by `resume()` re-arms the timer and changes nothing else. Three traps, all pinned by
 * test/platform: `resume()` without a `pause()` just before it can leave the socket deaf; a receiver that has no
 * backpressure has no timer and must not get one by a first touch; once touched, a connection must be touched until its
 * response ends, because the touch itself arms ten seconds.
 */
export class Keepalive {
  readonly #timed = new Set<Timed>()
  readonly #interval: NodeJS.Timeout

  constructor() {
    this.#interval = setInterval(() => this.#touchAll(), PERIOD_MS)
    this.#interval.unref()
  }

  add(timed: Timed): void {
    this.#timed.add(timed)
  }

  delete(timed: Timed): void {
    this.#timed.delete(timed)
  }

  get size(): number {
    return this.#timed.size
  }

  stop(): void {
    clearInterval(this.#interval)
  }

  #touchAll(): void {
    for (const timed of this.#timed) {
      if (timed.isPaused) timed.lookForPeer()
      else rearm(timed.res)
    }
  }
}

/** Resumes reading, whatever the state before, and arms the ten seconds. */
export function rearm(res: HttpResponse): void {
  res.pause()
  res.resume()
}
