import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

const RESOLUTION_MS = 20
const QUANTILES = [0.5, 0.9, 0.99, 1]
export const ROTATE_MS = 60_000

/**
 * How late the event loop is, over the last one to two minutes. There are two monitors that begin anew in turn, and the
 * older one is read: a scrape resets nothing, so that it does not matter how many scrapers there are, and how often they
 * come. They run from `start` to `stop`.
 */
export class LoopDelay {
  #older: IntervalHistogram | undefined
  #younger: IntervalHistogram | undefined

  constructor(registry: Registry) {
    const read = (quantile: number) => this.seconds(quantile)
    new Gauge({
      name: 'pipegate_event_loop_delay_seconds',
      help: 'How late the event loop was, over the last one to two minutes, by quantile (1 is the maximum).',
      labelNames: ['quantile'],
      // Of several threads the one that is latest.
      aggregator: 'max',
      registers: [registry],
      collect() {
        for (const quantile of QUANTILES) this.set({ quantile }, read(quantile))
      },
    })
  }

  start(): void {
    this.#older = monitor()
    this.#younger = monitor()
  }

  /** Every `ROTATE_MS`. */
  rotate(): void {
    if (this.#younger === undefined) return
    this.#older?.disable()
    this.#older = this.#younger
    this.#younger = monitor()
  }

  stop(): void {
    this.#older?.disable()
    this.#younger?.disable()
    this.#older = undefined
    this.#younger = undefined
  }

  /** The number of samples in the monitor that is read. */
  get samples(): number {
    return this.#older?.count ?? 0
  }

  /** 0 while nothing is known. */
  seconds(quantile: number): number {
    if (this.#older === undefined || this.samples === 0) return 0
    const nanoseconds = quantile === 1 ? this.#older.max : this.#older.percentile(quantile * 100)
    // What is recorded is the time between two samples; being on time is no delay.
    return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000)
  }
}

function monitor(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return histogram
}
