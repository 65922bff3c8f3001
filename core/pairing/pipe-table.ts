import type { Clock } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, type Failure, Refusal } from '../failure.js'
import type { SlabPool } from '../flow/slab-pool.js'
import { TurnBudget } from '../flow/turn-budget.js'
import type { JoinOptions, ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { Limits } from '../limits.js'
import type { PipeObserver } from '../observer.js'
import type { PipeView } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { Pipe } from './pipe.js'
import type { PipeContext } from './pipe-context.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'

/** Holds a pipe as long as it has its name, and nothing afterwards: `ScheduledCall.cancel` in clock.ts says why. */
interface Slot {
  pipe: Pipe | undefined
}

/** All pipes by name: who may join, and how many there may be. */
export class PipeTable implements PipeContext {
  #opened = 0
  readonly #pipes = new Map<string, Slot>()
  #streaming = 0
  #closed = false

  constructor(
    readonly limits: Limits,
    readonly clock: Clock,
    readonly slabs: SlabPool,
    readonly observer: PipeObserver | null = null,
    readonly turn = new TurnBudget(),
  ) {}

  /** Pipes that wait for a side. */
  get waiting(): number {
    return this.#pipes.size - this.#streaming
  }

  /** Transfers that are running. */
  get streaming(): number {
    return this.#streaming
  }

  get(key: string): PipeView | undefined {
    return this.#pipes.get(key)?.pipe
  }

  /** Every pipe that has not ended. */
  *all(): Generator<PipeView> {
    for (const { pipe } of this.#pipes.values()) if (pipe !== undefined) yield pipe
  }

  /**
   * Ends the pipe on a name for a reason of the caller's own. Returns whether there was one. Not from inside a call of the
   * core.
   */
  stop(key: string, failure: Failure): boolean {
    const pipe = this.#pipes.get(key)?.pipe
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
    const found = this.#find(key, options)
    if (found instanceof Refusal) return found
    if (found?.sender !== undefined) return new Refusal(CORE_FAILURES.senderExists)
    if (options.onlyIfAwaited && !found?.receivers.length) return new Refusal(CORE_FAILURES.nobodyWaiting)
    const isReady = head !== undefined && found?.receivers.length === options.receivers
    const mayBring = isReady ? 0 : Math.min(head?.length ?? Number.POSITIVE_INFINITY, this.slabs.slabBytes)
    if (!this.slabs.reserve(mayBring)) return new Refusal(CORE_FAILURES.noMemory)
    const pipe = found ?? this.#open(key, options)
    return orEnd(pipe, () => pipe.addSender(source, head, options, mayBring))
  }

  /** A receiver asks for a place on a name. A refusal does not disturb the pipe. */
  joinReceiver(key: string, sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint | Refusal {
    const found = this.#find(key, options)
    if (found instanceof Refusal) return found
    if (found !== undefined && found.receivers.length >= found.receiversWanted) {
      return new Refusal(CORE_FAILURES.receiversFull, { expected: found.receiversWanted })
    }
    if (options.onlyIfAwaited && found?.sender === undefined) return new Refusal(CORE_FAILURES.nobodyWaiting)
    const beyond = found?.sender?.rangeRefusal(options.range)
    if (beyond !== undefined) return beyond
    const pipe = found ?? this.#open(key, options)
    return orEnd(pipe, () => pipe.addReceiver(sink, options))
  }

  /** Refuses every join from now on, and ends every pipe that waits. Running transfers go on. */
  close(): void {
    this.#closed = true
    for (const { pipe } of this.#pipes.values()) if (pipe?.state === 'waiting') pipe.end('shutting_down')
  }

  /** Ends every pipe. */
  endAll(reason: EndReason): void {
    for (const { pipe } of this.#pipes.values()) pipe?.end(reason)
  }

  mayStream(): boolean {
    return this.#streaming < this.limits.maxActive
  }

  onStreaming(_pipe: PipeView): void {
    this.#streaming++
  }

  onEnded(pipe: PipeView): void {
    this.#pipes.get(pipe.key)!.pipe = undefined
    this.#pipes.delete(pipe.key)
    if (pipe.pairedAt !== undefined) this.#streaming--
  }

  /** The waiting pipe on this name, undefined when a new one may be opened, or why this side cannot join. */
  #find(key: string, options: JoinOptions): Pipe | undefined | Refusal {
    if (this.#closed) return new Refusal(CORE_FAILURES.shuttingDown)
    const pipe = this.#pipes.get(key)?.pipe
    if (pipe === undefined) {
      const { maxWaiting } = this.limits
      return this.waiting < maxWaiting ? undefined : new Refusal(CORE_FAILURES.tooManyWaiting, { expected: maxWaiting })
    }
    if (pipe.state === 'streaming') return new Refusal(CORE_FAILURES.pipeBusy)
    if (pipe.receiversWanted !== options.receivers) {
      return new Refusal(CORE_FAILURES.nMismatch, { found: options.receivers, expected: pipe.receiversWanted })
    }
    return pipe
  }

  #open(key: string, options: JoinOptions): Pipe {
    const pipe = new Pipe(this, ++this.#opened, key, options.receivers)
    this.#pipes.set(key, { pipe })
    this.observer?.onWaiting(pipe)
    return pipe
  }
}

/** A defect in the middle of joining must not leave a pipe behind that no side can leave. */
function orEnd<T>(pipe: Pipe, join: () => T): T {
  try {
    return join()
  } catch (defect) {
    pipe.end('fault')
    throw defect
  }
}
