/** A ping that nobody answers does not hold up later ones for longer than this. */
const PATIENCE_MS = 1000
/** The most that a control frame carries: RFC 6455, section 5.5. */
const MOST_BYTES = 125

/**
 * Passes pings on in one direction, one at a time: while one is on its way only the newest is kept, and goes when the answer has
 * come. An answer to that one will do (RFC 6455, section 5.5.3), and a burst of them is taken for an attack: `ws` ends a connection
 * that has 60 pings in one read.
 */
export class PingRelay {
  readonly #newest = Buffer.alloc(MOST_BYTES)
  /** Of the newest; -1: none is kept. */
  #length = -1
  #isAwaited = false
  #sentAt = 0

  /** @param send false: not now */
  constructor(
    readonly now: () => number,
    readonly send: (bytes: Uint8Array) => boolean,
  ) {}

  ping(bytes: Uint8Array): void {
    this.#newest.set(bytes)
    this.#length = bytes.length
    this.flush()
  }

  /** The other side has answered. */
  pong(): void {
    this.#isAwaited = false
    this.flush()
  }

  /** There is room again. */
  flush(): void {
    if (this.#length < 0 || (this.#isAwaited && this.now() - this.#sentAt < PATIENCE_MS)) return
    if (!this.send(Buffer.from(this.#newest.subarray(0, this.#length)))) return
    this.#length = -1
    this.#isAwaited = true
    this.#sentAt = this.now()
  }
}
