/**
 * How long the event loop of a gateway was silent, seen from outside. The time in which it was stopped is counted out, and so is
 * the time in which it or the probe wanted to run and other programs had the cores: what is left is the gateway's own.
 */

import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { Timeline } from './timeline.js'

export interface ProbeTarget {
  readonly port: number
  readonly tls: boolean
  /** Of the gateway. */
  readonly pid: number
}

/** What the thread tells: a silence on the clock of the whole system, and how much of it was spent waiting for a core. */
export interface Silence {
  readonly from: number
  readonly to: number
  readonly waitedMs: number
}

export class Probe {
  /** Milliseconds of the longest silence that nothing explains. */
  longestMs = 0
  /** Silences above 100, 250 and 1000 ms. */
  readonly above = new Map([100, 250, 1000].map((ms) => [ms, 0]))
  /** Resolves with its first answer. */
  readonly heard: Promise<void>
  readonly #worker: Worker
  readonly #ended: Promise<unknown>

  constructor(target: ProbeTarget, timeline: Timeline, stop: string) {
    this.#worker = new Worker(new URL('probe-worker.js', import.meta.url), { workerData: target })
    this.#ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    let tellHeard = () => {}
    this.heard = new Promise((resolve) => (tellHeard = resolve))
    this.#worker.on('message', (silence: Silence | 'heard') => {
      if (silence === 'heard') return tellHeard()
      // The thread counts from another origin, and tells the clock that both have in common.
      const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now()
      const from = silence.from - origin
      const to = silence.to - origin
      const ms = to - from - silence.waitedMs - timeline.within(stop, from, to)
      this.longestMs = Math.max(this.longestMs, ms)
      for (const [limit, count] of this.above) if (ms > limit) this.above.set(limit, count + 1)
    })
  }

  async stop(): Promise<void> {
    this.#worker.postMessage('stop')
    const kill = setTimeout(() => void this.#worker.terminate(), 5000)
    await this.#ended
    clearTimeout(kill)
  }
}
