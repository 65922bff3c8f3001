import {
  type EndReason,
  HeldBytes,
  type PipeTable,
  type PipeView,
  Refusal,
  type SenderJoinOptions,
  type Staying,
  type StreamHead,
} from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import { textAnswer } from '../../../http/response/answer.js'
import { endingCode, endingOf } from '../../../http/response/endings.js'
import { UploadLines } from '../../../stream/topic/upload-lines.js'
import type { Exchange } from '../../exchange.js'
import type { RouterOptions } from '../../options.js'
import { LineTurns } from '../line-turns.js'
import { type JobOwner, LineJob } from './line-job.js'

/** The longest line, in bytes. */
export const MOST_BYTES = 1024 * 1024
/** Jobs of one upload that run at once. */
const MOST_RUNNING = 1024
/** So many jobs are given before all others have a turn: a thousand take tens of milliseconds. */
const MOST_IN_A_TURN = 64

/** One upload with many jobs that has been let in. */
export interface LinesUpload {
  readonly table: PipeTable
  readonly key: string
  /** Of each of its jobs. Their ids are this one and a number. */
  readonly options: SenderJoinOptions
  readonly fields: StreamHead['fields']
  readonly reply: ReturnType<Exchange['toReply']>
  readonly memory: RouterOptions['memory']
  /** Is told of a defect of the gateway. */
  readonly onFault: RouterOptions['onFault']
}

/**
 * Each line of the body is a job. One of them waits at a time, so that an upload with many takes one turn like everybody else; and no
 * more than a window of it is held, the job that waits and those that run. It is answered when all of them are over.
 */
export class LinesProducer implements JobOwner, Staying {
  readonly #lines = new UploadLines()
  /** Of what has been read and is no job yet. */
  readonly #held: HeldBytes
  readonly #jobs = new Set<LineJob>()
  /** Of those, the ones that wait; and the bytes of all. */
  #waiting = 0
  #bytes = 0
  #count = 0
  #delivered = 0
  #lost = 0
  #leave: () => void = () => {}
  #isRead = false
  /** Why no more lines are taken. */
  #failure: Refusal | undefined
  #isScheduled = false
  readonly #turns = new LineTurns(MOST_IN_A_TURN, () => this.#goOnOrFault())
  readonly #take = (line: Uint8Array) => this.#give(line)

  constructor(readonly upload: LinesUpload) {
    this.#held = new HeldBytes(upload.memory)
  }

  /** Takes a place on the name. Returns why it cannot. */
  start(): Refusal | undefined {
    const { table, key, options, reply } = this.upload
    const stays = table.stay(key, 'sender', this, options)
    if (stays instanceof Refusal) return stays
    this.#leave = stays
    reply.onOver(() => this.#over())
    reply.body.read(
      (bytes) => this.#feed(bytes),
      () => {
        this.#isRead = true
        this.#goOn()
      },
    )
    return undefined
  }

  ended(reason: EndReason, queue: PipeView): void {
    this.#leave = () => {}
    this.#failBy(reason, queue)
  }

  begun(job: LineJob): void {
    job.isWaiting = false
    this.#waiting--
    this.#schedule()
  }

  returned(job: LineJob): void {
    job.isWaiting = true
    this.#waiting++
  }

  over(job: LineJob, reason: EndReason, pipe: PipeView): void {
    if (!this.#jobs.delete(job)) return
    this.#bytes -= job.bytes
    if (reason === 'complete') this.#delivered++
    else if (!job.isWaiting) this.#lost++
    else this.#failBy(reason, pipe)
    if (job.isWaiting) this.#waiting--
    this.#schedule()
  }

  #feed(bytes: Uint8Array): void {
    const { reply } = this.upload
    if (reply.isOver || this.#failure !== undefined) return
    // It may have been read before it was paused.
    if (this.#mayGive) this.#lines.feed(bytes, this.#take)
    else this.#lines.keep(bytes)
    this.#settle()
  }

  /** Not from inside the core, which calls when something about the jobs has changed. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#goOnOrFault()
    })
  }

  #goOnOrFault(): void {
    try {
      this.#goOn()
    } catch (error) {
      this.upload.onFault(error)
      this.upload.reply.cut()
    }
  }

  /** A line more, if one may be given now. */
  #goOn(): void {
    if (this.#mayGive) this.#lines.goOn(this.#take)
    if (this.#isRead && this.#mayGive) {
      const rest = this.#lines.end()
      if (rest !== undefined) this.#give(rest)
    }
    this.#settle()
  }

  /** Reads on or not, and answers when all is over. */
  #settle(): void {
    const { reply } = this.upload
    if (reply.isOver) return
    const { kept } = this.#lines
    if (this.#mayGive && kept > MOST_BYTES) this.#failFor(kept)
    else if (this.#failure === undefined && !this.#held.set(kept)) this.#fail(new Refusal(FAILURES.noMemory))
    if (this.#failure !== undefined) this.#withdraw()
    if (this.#jobs.size === 0 && (this.#failure !== undefined || (this.#isRead && kept === 0))) this.#answer()
    else if (this.#mayGive && !this.#isRead) reply.body.resume()
    else if (!this.#isRead) reply.body.pause()
  }

  get #mayGive(): boolean {
    if (this.#failure !== undefined || this.#turns.isResting || this.upload.reply.isOver) return false
    const { windowBytes } = this.upload.table.limits
    return this.#waiting === 0 && this.#jobs.size < MOST_RUNNING && this.#bytes < windowBytes
  }

  /** Returns whether the next line may follow. */
  #give(line: Uint8Array): boolean {
    if (!this.#mayGive) return false
    if (line.length > MOST_BYTES) {
      this.#failFor(line.length)
      return false
    }
    const { table, key, options, fields } = this.upload
    const job = new LineJob(this, line.length)
    this.#jobs.add(job)
    this.#waiting++
    this.#bytes += line.length
    this.#count++
    const ofJob = { ...options, onlyIfAwaited: false, transferId: `${options.transferId}-${this.#count}` }
    const endpoint = table.joinSender(key, job, { length: line.length, fields }, ofJob)
    if (endpoint instanceof Refusal) {
      this.#jobs.delete(job)
      this.#waiting--
      this.#fail(endpoint)
      return false
    }
    job.endpoint = endpoint
    if (line.length > 0) endpoint.feed(line)
    endpoint.end()
    this.#turns.took()
    return this.#mayGive
  }

  #failFor(found: number): void {
    this.#fail(new Refusal(FAILURES.lineTooLong, { found, expected: MOST_BYTES }))
  }

  #failBy(reason: EndReason, pipe: PipeView): void {
    const { status, line } = endingOf(reason, pipe)
    this.#fail(new Refusal({ code: endingCode(reason, pipe), status, message: line, hint: '' }))
  }

  /** The first failure counts. Those that run are waited for. */
  #fail(refusal: Refusal): void {
    this.#failure ??= refusal
    this.#schedule()
  }

  /** Nobody gets those that wait. */
  #withdraw(): void {
    this.#held.set(0)
    if (this.#waiting > 0) for (const job of [...this.#jobs]) if (job.isWaiting) job.endpoint?.left()
  }

  #answer(): void {
    const { reply } = this.upload
    const values = { delivered: this.#delivered, lost: this.#lost }
    if (this.#failure !== undefined) {
      const { failure } = this.#failure
      const hint = `${failure.hint} Before that {delivered} job(s) were delivered, and {lost} lost.`.trimStart()
      reply.give(new Refusal({ ...failure, hint }, { ...this.#failure.values, ...values }))
    } else if (this.#lost > 0) reply.give(new Refusal(FAILURES.jobsLost, values))
    else reply.give(textAnswer(200, `[INFO] Delivered ${this.#delivered} job(s).\n`))
  }

  /** The response is over, in whatever way. What runs goes on to its worker, and to no other one. */
  #over(): void {
    this.#held.set(0)
    for (const job of [...this.#jobs]) job.endpoint?.left()
    this.#leave()
  }
}
