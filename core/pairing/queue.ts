import type { EndReason } from '../end-reason.js'
import type { Failure, Refusal } from '../failure.js'
import type { ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { PipeState, PipeView, QueueCounts } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { refuseKind } from './kind-clash.js'
import { Matching, type MatchingView } from './matching.js'
import type { SharedNameContext } from './pipe-context.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'

/**
 * Each stream to exactly one receiver, first come, first served. The senders that wait are the store: nothing of theirs is read.
 * As a view it is the name as a whole; its transfers are views of their own.
 */
export class Queue implements MatchingView {
  readonly kind = 'queue'
  readonly transferId = ''
  readonly head = undefined
  readonly live = undefined
  readonly fanOut = undefined
  readonly sha256 = undefined
  readonly expectedBytes = undefined
  readonly receiversWanted = 1
  readonly looks = 0
  readonly bytesSkipped = 0
  readonly heldBackMs = 0
  readonly delivering = undefined
  readonly endedAt = undefined
  readonly endReason = undefined
  endFailure: Failure | undefined
  readonly openedAt: number
  readonly #matching: Matching

  constructor(
    readonly context: SharedNameContext,
    readonly id: number,
    readonly key: string,
  ) {
    this.openedAt = context.clock.now()
    this.#matching = new Matching(this, context)
  }

  // --- as a view

  get queue(): QueueCounts {
    const { sendersWaiting: senders, receiversWaiting: receivers, running } = this.#matching
    return { senders, receivers, running: running.size }
  }

  get state(): PipeState {
    return this.#matching.running.size > 0 ? 'streaming' : 'waiting'
  }

  /** Since when something streams that has not ended. */
  get pairedAt(): number | undefined {
    for (const { pairedAt } of this.#matching.running) return pairedAt
    return undefined
  }

  get hasSender(): boolean {
    return this.#matching.sendersWaiting + this.#matching.running.size > 0
  }

  get receiversPresent(): number {
    return this.#matching.receiversWaiting + this.#matching.running.size
  }

  get bytesIn(): number {
    return this.#matching.bytesIn
  }

  get bytesOut(): number {
    return this.#matching.bytesOut
  }

  get bytesSent(): number {
    return this.#matching.bytesOut
  }

  transfers(): Iterable<PipeView> {
    return this.#matching.transfers()
  }

  // --- for the table

  get senderWaits(): boolean {
    return this.#matching.readySender !== undefined
  }

  get receiversWaiting(): number {
    return this.#matching.readyReceiver === undefined ? 0 : 1
  }

  refuseSender(options: SenderJoinOptions): Refusal | undefined {
    return refuseKind(this, options) ?? this.#matching.refuseSender(this.context.limits.maxQueued)
  }

  refuseReceiver(options: ReceiverJoinOptions): Refusal | undefined {
    return refuseKind(this, options) ?? this.#matching.refuseReceiver(this.context.limits.maxQueued)
  }

  addSender(source: Source, head: StreamHead | undefined, options: SenderJoinOptions, mayBring = 0): SenderEndpoint {
    return this.#matching.addSender(source, head, options, mayBring)
  }

  addReceiver(sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint {
    return this.#matching.addReceiver(sink, options)
  }

  /** Who looks at a queue sees no single stream that waits for them. */
  looked(): void {}

  close(): void {
    this.#matching.close()
  }

  stop(failure: Failure): void {
    this.endFailure = failure
    this.#matching.endAll('stopped', (match) => match.stop(failure))
  }

  end(reason: EndReason): void {
    this.#matching.endAll(reason, (match) => match.end(reason))
  }

  // --- for receivers that wait

  receiverLeft(endpoint: ReceiverEndpoint): void {
    this.#matching.left(endpoint)
  }

  receiverFault(endpoint: ReceiverEndpoint): void {
    this.#matching.fault(endpoint)
  }
}
