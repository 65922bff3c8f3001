import type { HttpResponse } from 'uWebSockets.js'

/** uWebSockets closes a connection 28 to 32 s after it last armed its 30 s timer; every 4 s is early enough. */
const PERIOD_MS = 4000

/** A response whose connection is to stay open. */
export interface KeepaliveTarget {
  readonly res: HttpResponse
  /** Its reading is paused. Then it has no timer, and must not be resumed here. */
  readonly isPaused: boolean
  /** A paused socket is not polled, so nothing reports that its peer has gone. Check for it. */
  lookForPeer(): void
}

/** A client that has closed its side, and waits for its response or has gone. */
export interface HalfClosedClient {
  /** Sends it something: a client that has gone answers with a reset. */
  probe(): void
}

/** One response's registration, until it is released. */
export class KeepaliveEntry {
  constructor(
    public target: KeepaliveTarget | undefined,
    readonly registry: Set<KeepaliveEntry>,
  ) {}

  /** Also drops the reference to the response, for the sake of the garbage collector: see `Clock`. */
  release(): void {
    this.registry.delete(this)
    this.target = undefined
  }
}

/**
 * Keeps uWebSockets' own timers from firing: they would close a sender that is quiet, or a receiver that reads slowly,
 * after thirty seconds. Our limits are in the core.
 *
 * `pause()` followed at once by `resume()` re-arms the timer and changes nothing else. Three traps, all pinned by
 * test/platform:
 * - `resume()` without a `pause()` just before it can leave the socket deaf.
 * - A receiver without backpressure has no timer, and re-arming it would start one.
 * - Once re-armed, a connection must be re-armed until its response ends, because doing so starts thirty new seconds.
 */
export class Keepalive {
  readonly #entries = new Set<KeepaliveEntry>()
  /** Clients to be probed as long as they are in here. */
  readonly halfClosed = new Set<HalfClosedClient>()
  readonly #interval: NodeJS.Timeout

  constructor() {
    this.#interval = setInterval(() => this.#rearmAll(), PERIOD_MS)
    this.#interval.unref()
  }

  /** Keeps this connection open until the result is released. */
  add(target: KeepaliveTarget): KeepaliveEntry {
    const entry = new KeepaliveEntry(target, this.#entries)
    this.#entries.add(entry)
    return entry
  }

  get size(): number {
    return this.#entries.size + this.halfClosed.size
  }

  stop(): void {
    clearInterval(this.#interval)
  }

  #rearmAll(): void {
    for (const client of this.halfClosed) client.probe()
    for (const { target } of this.#entries) {
      if (target?.isPaused) target.lookForPeer()
      else if (target !== undefined) rearm(target.res)
    }
  }
}

/** Resumes reading, whatever the state before, and arms the thirty seconds. */
export function rearm(res: HttpResponse): void {
  res.pause()
  res.resume()
}
