import type { HttpResponse } from 'uWebSockets.js'

/** uWebSockets closes a connection 28 to 32 s after it last armed its 30 s timer; every 4 s is early enough. */
const PERIOD_MS = 4000

/** A response whose connection uWebSockets would time. */
export interface Timed {
  readonly res: HttpResponse
  /** Its reading is paused: then it has no timer, and must not be resumed here. */
  readonly isPaused: boolean
  /** A paused socket is not polled, so nobody says that its peer has gone: have a look. */
  lookForPeer(): void
}

/** A response that is touched until it is let go. */
export class Touched {
  constructor(
    public timed: Timed | undefined,
    readonly home: Set<Touched>,
  ) {}

  /** Lets go of the response as well, for the sake of the garbage collector: see `Pulse`. */
  letGo(): void {
    this.home.delete(this)
    this.timed = undefined
  }
}

/**
 * Keeps uWebSockets' own timers from deciding: they would close a sender that is quiet, or a receiver that reads slowly,
 * after thirty seconds. Our limits are in the core.
 *
 * `pause()` followed at once by `resume()` re-arms the timer and changes nothing else. Three traps, all pinned by
 * test/platform: `resume()` without a `pause()` just before it can leave the socket deaf; a receiver that has no
 * backpressure has no timer and must not get one by a first touch; once touched, a connection must be touched until its
 * response ends, because the touch itself arms thirty seconds.
 */
export class Keepalive {
  readonly #touched = new Set<Touched>()
  readonly #interval: NodeJS.Timeout

  constructor() {
    this.#interval = setInterval(() => this.#touchAll(), PERIOD_MS)
    this.#interval.unref()
  }

  /** Until the result is let go. */
  add(timed: Timed): Touched {
    const touched = new Touched(timed, this.#touched)
    this.#touched.add(touched)
    return touched
  }

  get size(): number {
    return this.#touched.size
  }

  stop(): void {
    clearInterval(this.#interval)
  }

  #touchAll(): void {
    for (const { timed } of this.#touched) {
      if (timed?.isPaused) timed.lookForPeer()
      else if (timed !== undefined) rearm(timed.res)
    }
  }
}

/** Resumes reading, whatever the state before, and arms the thirty seconds. */
export function rearm(res: HttpResponse): void {
  res.pause()
  res.resume()
}
