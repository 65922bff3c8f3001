import {
  type EndReason,
  type PipeTable,
  type PipeView,
  type ReceiverJoinOptions,
  Refusal,
  type SinkListener,
  type Staying,
  type StreamHead,
  type Throttled,
} from '../../../../core/index.js'
import type { FollowedSink } from '../../exchange.js'
import type { RouterOptions } from '../../options.js'
import { GatheredLines } from './gathered-lines.js'
import { HandedLines } from './handed-lines.js'
import { type LineTaker, TakenLine } from './taken-line.js'

/** So much is gathered in one turn, to leave by one write. */
const MOST_GATHERED = 64 * 1024
/** So many bytes, and jobs, may be on their way to one worker. */
const MOST_ON_THE_WAY = 256 * 1024
const MOST_JOBS = 1024

/** Ends of the wait that are an end in order for a worker that has got jobs before. */
const IN_ORDER: ReadonlySet<EndReason> = new Set(['no_sender', 'shutting_down'])
/** Ends of a job that are the worker's as well. */
const OF_BOTH: ReadonlySet<EndReason> = new Set(['too_many_active', 'stopped', 'shutting_down', 'fault'])

/** A request for many jobs that has been let in. */
export interface LinesRequest {
  readonly table: PipeTable
  readonly key: string
  /** Of each of its jobs. */
  readonly options: ReceiverJoinOptions
  readonly head: StreamHead
  readonly sink: FollowedSink
  readonly memory: RouterOptions['memory']
  /** Is told of a defect of the gateway. */
  readonly onFault: RouterOptions['onFault']
  /** Jobs that were found to be no lines. */
  readonly unfit: WeakSet<PipeView>
}

/**
 * Each job is a line of the response, for as long as the worker stays. It stands in line for one after the other, and only while its
 * connection takes what it gets; what that does not take goes to others.
 */
export class LinesWorker implements LineTaker, SinkListener, Staying, Throttled {
  /** Stands in line, or is coming. */
  #next: TakenLine | undefined
  readonly #gathered: GatheredLines
  readonly #handed: HandedLines
  #leave: () => void = () => {}
  #hasHead = false
  #isBlocked = false
  #isScheduled = false
  #ending: { readonly reason: EndReason; readonly pipe: PipeView } | undefined
  #isFinishing = false
  #isOver = false

  /** It is there for each job, once it has its place. */
  readonly #ofJob: ReceiverJoinOptions

  constructor(readonly request: LinesRequest) {
    this.#ofJob = { ...request.options, onlyIfAwaited: false }
    this.#gathered = new GatheredLines(request.memory)
    this.#handed = new HandedLines(request.sink, (look) => this.#orFault(look, () => this.#settle()))
  }

  /** Takes a place on the name. Returns why it cannot. */
  start(): Refusal | undefined {
    const { table, key, options, sink } = this.request
    const stays = table.stay(key, 'receiver', this, options)
    if (stays instanceof Refusal) return stays
    this.#leave = stays
    sink.joined(this)
    this.#ask()
    return undefined
  }

  // --- for its jobs, from inside the core

  get #pipe(): PipeView | undefined {
    return this.request.table.get(this.request.key)
  }

  isHere(): boolean {
    // When jobs have been given to it, its death costs those only that have arrived in part. One that is being cut gets no more, though
    // it still stands in line.
    return !this.#isOver && this.#ending === undefined && (this.#hasHead || this.request.sink.isHere())
  }

  mayHaveBegun({ start }: TakenLine): boolean {
    return start !== undefined && this.request.sink.mayHaveBegun(start)
  }

  begins(_line: TakenLine, pipe: PipeView): void {
    if (this.#hasHead) return
    this.#hasHead = true
    this.request.sink.begin(this.request.head, pipe, 0)
  }

  whole(line: TakenLine): void {
    this.#next = undefined
    this.#gathered.add(line)
    if (!this.#isBlocked) this.request.sink.postpone()
    this.#schedule()
  }

  unfit(line: TakenLine, pipe: PipeView): void {
    this.request.unfit.add(pipe)
    queueMicrotask(() => line.endpoint?.left())
    if (this.#next === line) this.#next = undefined
    this.#schedule()
  }

  aborted(line: TakenLine, reason: EndReason, pipe: PipeView): void {
    if (this.#next === line) this.#next = undefined
    const hasBegun = line.start !== undefined
    if (!hasBegun) this.#gathered.remove(line)
    if (hasBegun) this.#cut(reason, pipe)
    else if (!line.hasBegun || OF_BOTH.has(reason)) this.#endFor(reason, pipe)
    this.#schedule()
  }

  ended(reason: EndReason, queue: PipeView): void {
    this.#leave = () => {}
    this.#endFor(reason, queue)
    this.#schedule()
  }

  // --- for its connection

  drained(): void {
    if (this.#isOver) return
    this.#isBlocked = false
    this.#write()
    this.#ask()
  }

  finished(): void {}

  fault(): void {
    this.#cut('fault', this.#pipe)
  }

  left(): void {}

  /** The response is over, in whatever way. What has not arrived is for others, in its old order. */
  over(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const { throttles = [] } of this.#limits) for (const each of throttles) each.leave(this)
    this.#next?.endpoint?.left()
    for (const line of this.#gathered.takeAll().toReversed()) line.endpoint!.left()
    this.#handed.over()
    this.#leave()
  }

  unthrottled(): void {
    this.#ask()
  }

  /** Stands in line for the next job. */
  #ask(): void {
    if (this.#next !== undefined || !this.#mayAsk) return
    const { table, key } = this.request
    const line = new TakenLine(this)
    this.#next = line
    const endpoint = table.joinReceiver(key, line, this.#ofJob)
    if (endpoint instanceof Refusal) {
      this.#next = undefined
      this.#refused(endpoint)
    } else line.endpoint = endpoint
  }

  get #mayAsk(): boolean {
    const { memory, table } = this.request
    if (this.#isOver || this.#ending !== undefined || this.#isBlocked) return false
    const { bytes, count } = this.#gathered
    if (bytes >= MOST_GATHERED || (bytes > 0 && memory.isScarce)) return false
    // A job counts as running until it has arrived; others need their places as well.
    const most = 2 * table.streaming >= table.limits.maxActive ? 1 : MOST_JOBS
    if (this.#handed.count + count >= most || this.#handed.bytes >= MOST_ON_THE_WAY) return false
    return !this.#isThrottled
  }

  get #limits() {
    const { limits } = this.request.options
    return limits === undefined ? [] : [limits]
  }

  get #isThrottled(): boolean {
    for (const { throttles = [] } of this.#limits) {
      const dry = throttles.find(({ isDry }) => isDry)
      dry?.wait(this)
      if (dry !== undefined) return true
    }
    return false
  }

  /** Writes what has been gathered, as far as the connection takes it. */
  #write(): void {
    const { sink } = this.request
    while (this.#gathered.count > 0 && !this.#isBlocked) {
      this.#gathered.handOver(sink.write(this.#gathered.rest), this.#handed)
      if (sink.isFull) this.#isBlocked = true
    }
    if (this.#isBlocked) this.#passOn()
    this.#handed.look()
  }

  /** The connection takes no more for now: what it has taken nothing of is for others, in its old order. */
  #passOn(): void {
    const waiting = this.#gathered.takeUnbegun()
    if (this.#next?.hasBegun === false) {
      const { endpoint } = this.#next
      this.#next = undefined
      endpoint?.left()
    }
    for (const line of waiting.toReversed()) line.endpoint!.left()
  }

  #refused(refusal: Refusal): void {
    if (this.#hasHead) this.#cut('fault', this.#pipe)
    else this.request.sink.refuse(refusal)
  }

  #endFor(reason: EndReason, pipe: PipeView): void {
    if (this.#ending !== undefined || this.#isOver) return
    if (!this.#hasHead || !IN_ORDER.has(reason)) this.#cut(reason, pipe)
    else this.#ending = { reason, pipe }
  }

  #cut(reason: EndReason, pipe: PipeView | undefined): void {
    if (this.#isOver || pipe === undefined) return
    this.#ending = { reason, pipe }
    this.request.sink.abort(reason, pipe)
  }

  /** Not from inside the core. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#orFault(() => this.#settle())
    })
  }

  #orFault(...steps: readonly (() => void)[]): void {
    try {
      for (const step of steps) step()
    } catch (error) {
      this.request.onFault(error)
      this.fault()
    }
  }

  /** The next job, or the end when none follows and all have arrived. */
  #settle(): void {
    if (this.#isOver) return
    const { reason } = this.#ending ?? {}
    if (reason === undefined) this.#ask()
    else if (IN_ORDER.has(reason) && this.#hasHead && this.#handed.count + this.#gathered.count === 0) this.#finish()
  }

  #finish(): void {
    if (this.#next !== undefined || this.#isFinishing) return
    this.#isFinishing = true
    this.request.sink.finish()
  }
}
