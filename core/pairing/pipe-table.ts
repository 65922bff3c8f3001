import type { Clock } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, type Failure, Refusal } from '../failure.js'
import type { SlabPool } from '../flow/slab-pool.js'
import { TurnBudget } from '../flow/turn-budget.js'
import type { JoinOptions, ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { Limits } from '../limits.js'
import type { PipeObserver } from '../observer.js'
import type { PipeView, Side } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { Ask } from './ask.js'
import type { Direction } from './direction.js'
import { Duplex } from './duplex.js'
import type { DuplexPeer } from './duplex-peer.js'
import { refuseKind } from './kind-clash.js'
import { Live } from './live.js'
import { orEnd } from './or-end.js'
import { Pipe } from './pipe.js'
import type { Resting, SharedNameContext } from './pipe-context.js'
import type { Asker, Question } from './question.js'
import { Queue, type Staying } from './queue.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { SharedName } from './shared-name.js'
import type { TopicContext } from './topic-context.js'
import { Topics } from './topics.js'
import { Transfer } from './transfer.js'
import { WholeName } from './whole-name.js'

/** Holds a pipe as long as it has its name, and nothing afterwards: `ScheduledCall.cancel` in clock.ts says why. */
interface Slot {
  pipe: Transfer | SharedName | Duplex | undefined
}

const NAMES = { pipe: Pipe, live: Live, queue: Queue, ask: Ask, duplex: Duplex } as const

/** All pipes by name: who may join, and how many there may be. */
export class PipeTable implements SharedNameContext, TopicContext {
  #ids = 0
  /** Transfers that have not ended. */
  #open = 0
  readonly #pipes = new Map<string, Slot>()
  readonly #resting = new Set<Resting>()
  #streaming = 0
  #liveNames = 0
  #closed = false

  /** Viewers of all live streams together. */
  viewers = 0
  /** Names that are topics. */
  readonly topics: Topics = new Topics(this)

  constructor(
    readonly limits: Limits,
    readonly clock: Clock,
    readonly slabs: SlabPool,
    readonly observer: PipeObserver | null = null,
    readonly turn = new TurnBudget(),
  ) {}

  /** Receivers that wait on queues. */
  queuedReceivers = 0
  /** Askers that have been heard, and wait for their answer to begin. */
  unanswered = 0

  counted(): void {
    this.limits.elsewhere?.tell(this.waiting, this.#streaming)
  }

  /** Pipes that wait for a side, receivers that wait on queues, and askers that wait for their answer. */
  get waiting(): number {
    return this.#open - this.#streaming + this.queuedReceivers + this.unanswered
  }

  /** Transfers that are running. */
  get streaming(): number {
    return this.#streaming
  }

  /** Transfers that have ended cleanly, and whose last bytes are still on their way to receivers. */
  get resting(): number {
    return this.#resting.size + (this.#closed ? this.topics.size : 0)
  }

  get(key: string): PipeView | undefined {
    return this.#pipes.get(key)?.pipe ?? this.topics.get(key)
  }

  /** Somebody looks at a name, and takes nothing. */
  looked(key: string): void {
    this.#pipes.get(key)?.pipe?.looked()
  }

  /** Every pipe that has not ended; of a name with many transfers, each of those. */
  *all(): Generator<PipeView> {
    for (const pipe of this.names()) {
      if (pipe instanceof WholeName) yield* pipe.transfers()
      else yield pipe
    }
  }

  /** What stands on each name. */
  *names(): Generator<PipeView> {
    for (const { pipe } of this.#pipes.values()) if (pipe !== undefined) yield pipe
    yield* this.topics.all()
  }

  /**
   * Ends the pipe on a name for a reason of the caller's own. Returns whether there was one. Not from inside a call of the
   * core.
   */
  stop(key: string, failure: Failure): boolean {
    const pipe = this.#pipes.get(key)?.pipe ?? this.topics.get(key)
    pipe?.stop(failure)
    return pipe !== undefined
  }

  /**
   * A sender asks for its place on a name. A refusal does not disturb the pipe. One that has to wait is refused while there is
   * no memory for what its connection may bring before it can be paused: one read, which is no longer than a slab.
   * @param head undefined when it comes with the body: then nothing begins before `endpoint.opened`
   */
  joinSender(
    key: string,
    source: Source,
    head: StreamHead | undefined,
    options: SenderJoinOptions,
  ): SenderEndpoint | Refusal {
    const found = this.#pipes.get(key)?.pipe
    const refusal = this.#refuse(key, found, options) ?? found?.refuseSender(options)
    if (refusal !== undefined) return refusal
    const receivers = found?.receiversFor(options) ?? 0
    if (options.onlyIfAwaited && receivers === 0) return new Refusal(CORE_FAILURES.nobodyWaiting)
    const isReady = head !== undefined && receivers >= options.receivers
    const mayBring = isReady ? 0 : Math.min(head?.length ?? Number.POSITIVE_INFINITY, this.slabs.slabBytes)
    if (!this.slabs.reserve(mayBring)) return new Refusal(CORE_FAILURES.noMemory)
    const pipe = found ?? this.#take(key, options)
    if (pipe instanceof SharedName) return pipe.addSender(source, head, options, mayBring)
    return orEnd(pipe, () => pipe.addSender(source, head, options, mayBring))
  }

  /** A receiver asks for a place on a name. A refusal does not disturb the pipe. */
  joinReceiver(key: string, sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint | Refusal {
    const found = this.#pipes.get(key)?.pipe
    const refusal =
      this.#refuse(key, found, options) ?? this.#refuseViewer(found, options) ?? found?.refuseReceiver(options)
    if (refusal !== undefined) return refusal
    if (options.onlyIfAwaited && found?.hasSenderFor(options) !== true) return new Refusal(CORE_FAILURES.nobodyWaiting)
    const pipe = found ?? this.#take(key, options)
    if (pipe instanceof SharedName) return pipe.addReceiver(sink, options)
    return orEnd(pipe, () => pipe.addReceiver(sink, options))
  }

  /**
   * Somebody takes part in a queue for many jobs, and joins with `stays` for each of them. A refusal does not disturb the queue.
   * Returns what it has to call when it goes.
   */
  stay(key: string, side: Side, who: Staying, options: JoinOptions): (() => void) | Refusal {
    const found = this.#pipes.get(key)?.pipe
    const clash = found === undefined ? undefined : refuseKind(found, options)
    const refusal = this.#refuse(key, found, options) ?? clash
    if (refusal !== undefined) return refusal
    const isAwaited =
      side === 'sender' ? (found?.receiversFor(options) ?? 0) > 0 : found?.hasSenderFor(options) === true
    if (options.onlyIfAwaited && !isAwaited) return new Refusal(CORE_FAILURES.nobodyWaiting)
    return ((found ?? this.#take(key, options)) as Queue).stay(side, who)
  }

  /** Somebody asks a question, and waits for the answer: a sender and a receiver in one, with `options.ask`. */
  joinAsker(key: string, source: Source, head: StreamHead, options: SenderJoinOptions): Asker | Refusal {
    const question = this.joinSender(key, source, head, options)
    if (question instanceof Refusal) return question
    return { question, answer: (question.pipe as Question).asker }
  }

  /** A peer joins both directions of a duplex pipe: a sender with `options.duplex.sink`. */
  joinPeer(key: string, source: Source, head: StreamHead, options: SenderJoinOptions): DuplexPeer | Refusal {
    const sender = this.joinSender(key, source, head, options)
    return sender instanceof Refusal ? sender : (sender.pipe as Direction).peer!
  }

  /**
   * A worker answers a question that it got on this name. That is no new work, so it may be done until the end.
   * @param answerId the `answerId` of that question
   */
  joinAnswer(
    key: string,
    answerId: string,
    source: Source,
    head: StreamHead,
    options: SenderJoinOptions,
  ): SenderEndpoint | Refusal {
    const found = this.#pipes.get(key)?.pipe
    if (found instanceof Ask) return found.answer(answerId, source, head, options)
    return new Refusal(CORE_FAILURES.answerGone)
  }

  /** Refuses every join from now on but answers, and ends every pipe that waits. Running transfers go on. */
  close(): void {
    this.#closed = true
    for (const { pipe } of this.#pipes.values()) {
      if (pipe instanceof WholeName) pipe.close()
      else if (pipe?.state === 'waiting') pipe.end('shutting_down')
    }
    this.topics.close()
  }

  /** Ends every pipe. */
  endAll(reason: EndReason): void {
    for (const { pipe } of this.#pipes.values()) pipe?.end(reason)
    for (const resting of this.#resting) resting.endRest(reason)
    this.topics.endAll(reason)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  mayWait(): boolean {
    return this.waiting + (this.limits.elsewhere?.waiting ?? 0) < this.limits.maxWaiting
  }

  nextId(): number {
    return ++this.#ids
  }

  mayStream(): boolean {
    return this.#streaming + (this.limits.elsewhere?.streaming ?? 0) < this.limits.maxActive
  }

  onStreaming(_pipe: PipeView): void {
    this.#streaming++
    this.counted()
  }

  onWaitingAgain(_pipe: PipeView): void {
    this.#streaming--
    this.counted()
  }

  onOpened(pipe: PipeView): void {
    this.#open++
    this.counted()
    this.observer?.onWaiting(pipe)
  }

  onOneEnded(pipe: PipeView): void {
    this.#open--
    if (pipe.pairedAt !== undefined) this.#streaming--
    this.counted()
  }

  onEnded(pipe: PipeView): void {
    this.onEmpty(pipe.key)
    this.onOneEnded(pipe)
    if (pipe.kind === 'live') this.#liveNames--
  }

  onEmpty(key: string): void {
    this.#pipes.get(key)!.pipe = undefined
    this.#pipes.delete(key)
  }

  onResting(transfer: Resting): void {
    this.#resting.add(transfer)
  }

  onRested(transfer: Resting): void {
    this.#resting.delete(transfer)
  }

  /** Why nobody can join now, whatever stands on the name. */
  #refuse(key: string, found: Slot['pipe'], options: JoinOptions): Refusal | undefined {
    if (this.#closed) return new Refusal(CORE_FAILURES.shuttingDown)
    const { maxWaiting, live } = this.limits
    if (found !== undefined) return undefined
    const topic = this.topics.get(key)
    if (topic !== undefined) return refuseKind(topic, options)
    if (!this.mayWait()) return new Refusal(CORE_FAILURES.tooManyWaiting, { expected: maxWaiting })
    const isFull = options.kind === 'live' && this.#liveNames >= live.maxStreams
    return isFull ? new Refusal(CORE_FAILURES.tooManyLive, { expected: live.maxStreams }) : undefined
  }

  #refuseViewer(found: Slot['pipe'], { kind }: JoinOptions): Refusal | undefined {
    if ((found?.kind ?? kind) !== 'live') return undefined
    const { maxAllViewers: expected } = this.limits.live
    return this.viewers >= expected ? new Refusal(CORE_FAILURES.allViewersFull, { expected }) : undefined
  }

  /** Takes a free name. */
  #take(key: string, { kind = 'pipe', receivers }: JoinOptions): Transfer | SharedName | Duplex {
    const id = this.nextId()
    const pipe = new NAMES[kind](this, id, key, receivers)
    if (kind === 'live') this.#liveNames++
    this.#pipes.set(key, { pipe })
    if (pipe instanceof Transfer) this.onOpened(pipe)
    return pipe
  }
}
