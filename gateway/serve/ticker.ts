import type { Clock } from '../../core/index.js'
import type { Logger } from '../log/log.js'
import type { Ports } from './ports/ports.js'

/** How often waits and limits are looked at. */
const TICK_MS = 250
/** Connections that were turned away are reported at most this often. */
const REPORT_MS = 5000

/** Ticks the clock that all waits and limits are on. */
export class Ticker {
  #timer: NodeJS.Timeout | undefined
  #reported = 0
  #reportAt = 0

  /** @param turnedAway how many connections have been turned away so far */
  constructor(
    readonly clock: Clock,
    readonly turnedAway: () => number,
    readonly log: Logger,
    readonly ports: Pick<Ports, 'tick'>,
  ) {}

  /** Keeps the process alive as well: a paused connection alone would not. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** A defect in one deadline's callback leaves the others for the next tick. */
  #tick(): void {
    this.#reportTurnedAway()
    try {
      this.clock.tick()
      this.ports.tick(this.clock.now())
    } catch (error) {
      this.log.error({ err: error }, 'a deadline met a defect of the gateway')
    }
  }

  /** One line for many connections: it happens when they come faster than they go. */
  #reportTurnedAway(): void {
    const connections = this.turnedAway() - this.#reported
    if (connections === 0 || this.clock.now() < this.#reportAt) return
    this.#reported += connections
    this.#reportAt = this.clock.now() + REPORT_MS
    this.log.warn({ connections }, 'turned away: no file descriptor is left, raise the limit of open files (ulimit -n)')
  }
}
