/** What one piece of the load has to work with, and the frame in which it runs: a deadline, and nothing is left behind. */

import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../model/random.js'
import type { Outcome, Tally } from '../tally.js'
import type { Timeline } from '../timeline.js'
import { Connection, type Door } from './connection.js'

/** Faults, any of which explains that a request was refused like this, whatever it was. */
const EXPLAINED: readonly (readonly [code: RegExp, faults: readonly string[]])[] = [
  [/^NO_MEMORY$|^overflow$|^REVERSE_PROXY_NO_MEMORY$/i, ['memory at its limit']],
  [/^AUTH_JWT_(NO_KEYS|UNKNOWN_KEY)$/, ['key server gone', 'key server with other keys', 'gateway stopped']],
  [/^ADMIT_TIMEOUT$/, ['Redis gone', 'Redis stopped', 'key server gone', 'gateway stopped']],
  // Without memory it is closed with 1013, and who is sending a message may see the reset before that.
  [/^WEBSOCKET_CUT$/, ['memory at its limit', 'descriptors at their limit', 'gateway stopped']],
  [
    /^REVERSE_PROXY_/,
    ['upstreams that lie', 'DNS answers that change', 'descriptors at their limit', 'gateway stopped'],
  ],
  [/^turned away$/, ['descriptors at their limit']],
  [/^closed while kept$/, ['descriptors at their limit', 'gateway stopped']],
]

export interface JobSetting {
  readonly tally: Tally
  readonly timeline: Timeline
  readonly deadlineMs: number
}

export class Job {
  readonly from = performance.now()
  readonly #connections = new Set<Connection>()
  #isOver = false

  constructor(
    readonly id: number,
    readonly random: Random,
    readonly setting: JobSetting,
    /** Connections that earlier jobs have left open, for this one to use or not. */
    readonly kept: Connection[] = [],
  ) {}

  get tally(): Tally {
    return this.setting.tally
  }

  /** A connection to this door: a kept one if chance wants it so, otherwise a new one; undefined when it was turned away. */
  async connect(door: Door, { readBytes = 64 * 1024, fresh = false } = {}): Promise<Connection | undefined> {
    const at = this.kept.findIndex((each) => each.door === door && each.canServe)
    if (!fresh && at >= 0 && this.random.chance(70)) {
      const [connection] = this.kept.splice(at, 1)
      this.#connections.add(connection!)
      return connection
    }
    const connection = await Connection.open(door, readBytes).catch(() => undefined)
    // Its other side may have been refused meanwhile, and nobody would close this one.
    if (this.#isOver) connection?.leave('destroy')
    else if (connection !== undefined) this.#connections.add(connection)
    return this.#isOver ? undefined : connection
  }

  /** The outcome of a request that was refused with this code; whether something explains it is looked at. */
  refused(code: string, what: string): Outcome {
    this.explain(code, what)
    return { result: 'refused', why: code, bytes: 0 }
  }

  /** Notes a broken rule unless a planted fault explains this code or reason. */
  explain(code: string, what: string): void {
    const faults = EXPLAINED.find(([pattern]) => pattern.test(code))?.[1]
    if (faults !== undefined && this.setting.timeline.felt(faults, this.from)) return
    this.tally.problem(
      'ends that nothing explains',
      `${code}: ${what}; faults, in seconds from its start: ${this.setting.timeline.story(this.from)}`,
    )
  }

  /** How a request was refused that has no answer. */
  unanswered(connection: Connection | undefined): string {
    return connection !== undefined && connection.asked > 1 ? 'closed while kept' : 'turned away'
  }

  /** Waits until it is so, as long as the job's deadline lets it. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (performance.now() - this.from > this.allowedMs) throw new Overdue()
      await sleep(10)
    }
  }

  /** A request that has a short answer: its text, or undefined when there is none. */
  async ask(door: Door, line: string): Promise<{ connection: Connection; text: string } | undefined> {
    const connection = await this.connect(door)
    if (connection === undefined) return undefined
    let text = ''
    await connection.request(line, '', { onBody: (bytes) => (text += bytes.toString('latin1')) })
    await this.until(() => connection.isOver)
    return connection.reader.complete ? { connection, text } : undefined
  }

  /** Its deadline, with the time in which the gateways were stopped counted out. */
  get allowedMs(): number {
    const { timeline, deadlineMs } = this.setting
    const now = performance.now()
    return (
      deadlineMs +
      timeline.within('gateway stopped', this.from, now) +
      timeline.within('client stopped', this.from, now)
    )
  }

  /** Closes what it has opened, except for what can serve again. */
  close(): void {
    this.#isOver = true
    for (const connection of this.#connections) {
      if (connection.canServe && this.kept.length < 4) {
        connection.resume()
        this.kept.push(connection)
      } else connection.leave('destroy')
    }
    this.#connections.clear()
  }

  get story(): string {
    return [...this.#connections].map(({ story }) => story).join('; ')
  }
}

/** A request has not ended in its time. */
export class Overdue extends Error {}

export type Kind = (job: Job) => Promise<Outcome>

/** Runs one job to its end, and counts what came of it. */
export async function runJob(name: string, kind: Kind, job: Job): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<never>((_, reject) => {
    const look = () => {
      const left = job.from + job.allowedMs + 5000 - performance.now()
      if (left <= 0) reject(new Overdue())
      else timer = setTimeout(look, left)
    }
    look()
  })
  try {
    job.tally.add(name, await Promise.race([kind(job), overdue]))
  } catch (error) {
    const what = `${name}, job ${job.id}, after ${Math.round(performance.now() - job.from)} ms: ${job.story}`
    if (error instanceof Overdue) job.tally.problem('requests without an end', what)
    else job.tally.problem('ends that nothing explains', `${what}: ${error instanceof Error ? error.stack : error}`)
  } finally {
    clearTimeout(timer)
    job.close()
  }
}
