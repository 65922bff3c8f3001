/** How often some clients are looked at. */
const TURN_MS = 250
/** How often each of them is, at least and at most, if there are not too many. */
const LEAST_PERIOD_MS = 1000
const MOST_PERIOD_MS = 5000
/** The most that are looked at in one turn, a microsecond or two each. */
const MOST_IN_A_TURN = 500

/** A request whose response is not over. */
export interface WatchedClient {
  /** Ends it if its client's machine has not answered for so long. */
  lookForMachine(silentMs: number): void
}

/**
 * Finds clients whose machine has lost its power or its network, which nothing else would tell for many minutes. They are looked at
 * in turn, so that many connections cost no more at a time than a few.
 */
export class PeerWatch {
  /** By their sockets. */
  readonly #clients: (WatchedClient | undefined)[] = []
  readonly #silentMs: number
  readonly #turnsInPeriod: number
  readonly #interval: NodeJS.Timeout | undefined
  #next = 0

  /** @param seconds after how much silence a machine is gone; 0 is never */
  constructor(readonly seconds: number) {
    this.#silentMs = seconds * 1000
    const period = Math.min(MOST_PERIOD_MS, Math.max(LEAST_PERIOD_MS, this.#silentMs / 10))
    this.#turnsInPeriod = period / TURN_MS
    if (seconds === 0) return
    this.#interval = setInterval(() => this.turn(), TURN_MS)
    this.#interval.unref()
  }

  /** @param socket below 0 when it is not known */
  add(socket: number, client: WatchedClient): void {
    if (socket >= 0) this.#clients[socket] = client
  }

  remove(socket: number): void {
    if (socket >= 0) this.#clients[socket] = undefined
  }

  stop(): void {
    clearInterval(this.#interval)
  }

  /** Looks at the next ones. */
  turn(): void {
    const { length } = this.#clients
    let places = Math.ceil(length / this.#turnsInPeriod)
    let looks = MOST_IN_A_TURN
    for (; places > 0 && looks > 0; places--) {
      if (this.#next >= length) this.#next = 0
      const client = this.#clients[this.#next++]
      if (client === undefined) continue
      looks--
      client.lookForMachine(this.#silentMs)
    }
  }
}
