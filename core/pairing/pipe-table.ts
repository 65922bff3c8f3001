import type { Clock } from './clock.js'
import type { EndReason } from './end-reason.js'
import type { ReceiverEndpoint, SenderEndpoint } from './endpoints.js'
import { CORE_FAILURES, type Failure, Refusal } from './failure.js'
import type { JoinOptions, Limits, SenderJoinOptions } from './limits.js'
import type { PipeObserver, PipeView } from './observer.js'
import { Pipe, type PipeContext } from './pipe.js'
import type { Sink, Source, StreamHead } from './ports.js'
import type { SlabPool } from './slab-pool.js'

/** Holds a pipe as long as it stands on its name, and nothing afterwards: see `Expectation.cancel`. */
interface Place {
  pipe: Pipe | undefined
}

/** All pipes by name: who may join, and how many there may be. */
export class PipeTable implements PipeContext {
  #opened = 0
  readonly #pipes = new Map<string, Place>()
  #streaming = 0
  #closed = false

  constructor(
    readonly limits: Limits,
    readonly clock: Clock,
    readonly slabs: SlabPool,
    readonly observer: PipeObserver | null = null,
  ) {}

  /** Pipes that wait for somebody. */
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

  /** Every pipe that is not over. */
  *all(): Generator<PipeView> {
    for (const { pipe } of this.#pipes.values()) if (pipe !== undefined) yield pipe
  }

  /** Ends the pipe on a name for a reason of the caller's own. Not from inside a call of the core. Returns whether there was one. */
  stop(key: string, failure: Failure): boolean {
    const pipe = this.#pipes.get(key)?.pipe
    pipe?.stop(failure)
    return pipe !== undefined
  }

  /**
   * A sender asks for its place on a name. A refusal disturbs nobody.
   * @param head undefined when it comes with the body: then nothing begins before `endpoint.opened`
   */
  joinSender(
    key: string,
    source: Source,
    head: StreamHead | undefined,
    terms: SenderJoinOptions,
  ): SenderEndpoint | Refusal {
    const found = this.#find(key, terms)
    if (found instanceof Refusal) return found
    if (found?.sender !== undefined) return new Refusal(CORE_FAILURES.senderExists)
    const pipe = found ?? this.#open(key, terms)
    return orEnd(pipe, () => pipe.addSender(source, head, terms))
  }

  /** A receiver asks for a place on a name. A refusal disturbs nobody. */
  joinReceiver(key: string, sink: Sink, terms: JoinOptions): ReceiverEndpoint | Refusal {
    const found = this.#find(key, terms)
    if (found instanceof Refusal) return found
    if (found !== undefined && found.receivers.length >= found.receiversWanted) {
      return new Refusal(CORE_FAILURES.receiversFull, { expected: found.receiversWanted })
    }
    const pipe = found ?? this.#open(key, terms)
    return orEnd(pipe, () => pipe.addReceiver(sink, terms))
  }

  /** No new joins from now on, and everybody who waits is told. Transfers that run go on. */
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

  streams(_pipe: Pipe): void {
    this.#streaming++
  }

  ended(pipe: Pipe): void {
    this.#pipes.get(pipe.key)!.pipe = undefined
    this.#pipes.delete(pipe.key)
    if (pipe.pairedAt !== undefined) this.#streaming--
  }

  /** The waiting pipe on this name, undefined when a new one may be opened, or why this side cannot join. */
  #find(key: string, terms: JoinOptions): Pipe | undefined | Refusal {
    if (this.#closed) return new Refusal(CORE_FAILURES.shuttingDown)
    const pipe = this.#pipes.get(key)?.pipe
    if (pipe === undefined) {
      const { maxWaiting } = this.limits
      return this.waiting < maxWaiting ? undefined : new Refusal(CORE_FAILURES.tooManyWaiting, { expected: maxWaiting })
    }
    if (pipe.state === 'streaming') return new Refusal(CORE_FAILURES.pipeBusy)
    if (pipe.receiversWanted !== terms.receivers) {
      return new Refusal(CORE_FAILURES.nMismatch, { found: terms.receivers, expected: pipe.receiversWanted })
    }
    return pipe
  }

  #open(key: string, terms: JoinOptions): Pipe {
    const pipe = new Pipe(this, ++this.#opened, key, terms.receivers)
    this.#pipes.set(key, { pipe })
    this.observer?.onWaiting(pipe)
    return pipe
  }
}

/** A defect in the middle of joining must not leave a pipe behind that nobody can leave. */
function orEnd<T>(pipe: Pipe, join: () => T): T {
  try {
    return join()
  } catch (defect) {
    pipe.end('fault')
    throw defect
  }
}
