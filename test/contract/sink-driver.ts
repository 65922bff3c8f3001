/** Does to a sink what the core does, watches that the port is kept, and remembers what the sink reported. */

import type { EndReason, PipeView, Sink } from '../../core/index.js'
import { streamBytes } from '../core/fakes/stream-bytes.js'

/** What a sink looks at of a pipe. */
export const PIPE = { transferId: 'contract', state: 'streaming', endReason: undefined } as unknown as PipeView

const SPOILED = 0xee

export interface SinkPlan {
  /** Length of the whole stream. */
  readonly bytes: number
  /** The most that is offered at once. */
  readonly piece: number
  /** The sender has announced the length. */
  readonly announced: boolean
  /** The stream is given from this byte on; 0 when absent. */
  readonly offset?: number
}

/** Which stream it is: `FakeSink` compares with that. */
const STREAM = 11

export class SinkDriver {
  readonly stream: Uint8Array
  /** Where in the stream the sink is. */
  taken: number
  /** Reports of the sink in order. */
  readonly reports: string[] = []
  /** Everything that the port forbids and that has happened. */
  readonly problems: string[] = []
  full = false
  finishing = false
  finished = false
  gone = false
  aborted = false
  /** Offers end here until it is raised. */
  upTo: number
  #inside: string | undefined

  constructor(
    readonly sink: Sink,
    readonly plan: SinkPlan,
  ) {
    this.stream = streamBytes(STREAM, 0, plan.bytes)
    this.taken = plan.offset ?? 0
    this.upTo = plan.bytes
  }

  begin(): void {
    const length = this.plan.announced ? this.plan.bytes : undefined
    this.#call('begin', () => this.sink.begin({ length, fields: [['stream', String(STREAM)]] }, PIPE, this.taken))
  }

  /** Offers what the sink takes, and ends the stream when that was all. */
  advance(): void {
    while (!this.#over && !this.full && this.taken < this.upTo) this.#offer()
    if (this.#over || this.finishing || this.taken < this.plan.bytes) return
    this.finishing = true
    this.finished = this.#call('finish', () => this.sink.finish())
  }

  abort(reason: EndReason = 'sender_left'): void {
    this.aborted = true
    this.#call('abort', () => this.sink.abort(reason, PIPE))
  }

  drained(): void {
    this.#report('drained')
    this.full = false
    this.advance()
  }

  /** The late answer to `finish()`. */
  sinkFinished(): void {
    if (!this.finishing || this.finished) this.problems.push('finished without being asked, or twice')
    this.#report('finished')
    this.finished = true
  }

  left(): void {
    if (this.gone) this.problems.push('left twice')
    this.#report('left')
    this.gone = true
  }

  fault(): void {
    this.problems.push('a defect')
  }

  /** How often the sink reported this. */
  count(report: string): number {
    return this.reports.filter((each) => each === report).length
  }

  get #over(): boolean {
    return this.gone || this.aborted || this.finished
  }

  #offer(): void {
    // A loan as a transport makes it: other memory in every call, and worthless when the call has returned.
    const loan = this.stream.slice(this.taken, Math.min(this.upTo, this.taken + this.plan.piece))
    const took = this.#call('write', () => this.sink.write(loan))
    loan.fill(SPOILED)
    if (!Number.isInteger(took) || took < 0 || took > loan.length)
      this.problems.push(`took ${took} of ${loan.length} bytes`)
    this.taken += took
    this.full = this.sink.isFull
    if (took < loan.length && !this.full) this.problems.push('it took less than it was offered, and is not full')
  }

  #call<T>(name: string, run: () => T): T {
    this.#inside = name
    try {
      return run()
    } catch (error) {
      this.problems.push(`${name}() threw: ${error}`)
      throw error
    } finally {
      this.#inside = undefined
    }
  }

  #report(what: string): void {
    if (this.#inside !== undefined) this.problems.push(`${what} from inside ${this.#inside}()`)
    if (this.gone) this.problems.push(`${what} after left`)
    if (this.finished) this.problems.push(`${what} after the stream was finished`)
    if (this.aborted && what !== 'left') this.problems.push(`${what} after abort()`)
    this.reports.push(what)
  }
}
