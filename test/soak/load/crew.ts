/** Those who do the jobs, a fixed number of each kind at once, no faster than the gateways may be loaded. */

import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../model/random.js'
import type { KindOfLoad } from '../world.js'
import type { Connection } from './connection.js'
import { Job, type JobSetting, runJob } from './job.js'

const LOOK_MS = 500
const LONGEST_PAUSE_MS = 3000

export class Crew {
  #isOver = false
  #nextId = 1
  #pauseMs = 20
  #seconds: { at: number; cpu: number } | undefined
  readonly #kept: Connection[][] = []
  readonly #work: Promise<void>[] = []

  /**
   * @param share of one core that the gateways together may take
   * @param cpuSeconds that they have taken so far
   */
  constructor(
    readonly seed: number,
    readonly setting: JobSetting,
    readonly share: number,
    readonly cpuSeconds: () => number,
  ) {}

  /** A job by itself. */
  async once({ name, kind }: KindOfLoad): Promise<void> {
    const kept: Connection[] = []
    await runJob(name, kind, this.#job(kept))
    for (const each of kept) each.leave('destroy')
  }

  start(kinds: readonly KindOfLoad[]): void {
    const pacing = async () => {
      for (; !this.#isOver; await sleep(LOOK_MS)) this.#pace()
    }
    this.#work.push(pacing())
    for (const kind of kinds) for (let i = 0; i < kind.atOnce; i++) this.#work.push(this.#worker(kind))
  }

  /** Begins no further job. Resolves when those that run have ended, and their connections are closed. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#work)
    for (const kept of this.#kept) for (const each of kept) each.leave('destroy')
  }

  async #worker({ name, kind }: KindOfLoad): Promise<void> {
    const kept: Connection[] = []
    this.#kept.push(kept)
    while (!this.#isOver) {
      const job = this.#job(kept)
      await sleep(job.random.below(2 * this.#pauseMs))
      await runJob(name, kind, job)
    }
  }

  #job(kept: Connection[]): Job {
    const id = this.#nextId++
    return new Job(id, new Random(Math.imul(this.seed, 1_000_003) + id), this.setting, kept)
  }

  #pace(): void {
    const now = { at: performance.now(), cpu: this.cpuSeconds() }
    const before = this.#seconds
    this.#seconds = now
    if (before === undefined) return
    const isBusy = (now.cpu - before.cpu) / ((now.at - before.at) / 1000) > this.share
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(2, this.#pauseMs * (isBusy ? 1.15 : 0.9)))
  }
}
