import type { EndReason } from '../end-reason.js'
import type { Failure, Refusal } from '../failure.js'
import type { JoinOptions, ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { AskCounts, PipeState, PipeView, QueueCounts } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { refuseKind } from './kind-clash.js'
import { Match, type Matchmaker } from './match.js'
import { Matching, type MatchingView } from './matching.js'
import type { SharedNameContext } from './pipe-context.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { WholeName } from './whole-name.js'

/**
 * A name with many transfers, whose senders and receivers are matched first come, first served. As a view it is the name as a
 * whole; its transfers are views of their own.
 */
export abstract class SharedName extends WholeName implements MatchingView {
  abstract readonly kind: 'queue' | 'ask'
  /** What who waits here is called. */
  abstract readonly sides: MatchingView['sides']
  readonly delivering = undefined
  readonly openedAt: number
  #matching: Matching | undefined

  constructor(
    readonly context: SharedNameContext,
    readonly id: number,
    readonly key: string,
  ) {
    super()
    this.openedAt = context.clock.now()
  }

  /** Made late, because it asks for the kind. */
  protected get matching(): Matching {
    this.#matching ??= new Matching(this, this.context)
    return this.#matching
  }

  /** Something besides those who wait or stream keeps the name. */
  get isHeld(): boolean {
    return false
  }

  newMatch(maker: Matchmaker, id: number): Match {
    return new Match(maker, id)
  }

  // --- as a view

  get queue(): QueueCounts | undefined {
    return undefined
  }

  get ask(): AskCounts | undefined {
    return undefined
  }

  get state(): PipeState {
    return this.matching.running.size > 0 ? 'streaming' : 'waiting'
  }

  /** Since when something streams that has not ended. */
  get pairedAt(): number | undefined {
    for (const { pairedAt } of this.matching.running) return pairedAt
    return undefined
  }

  get hasSender(): boolean {
    return this.matching.sendersWaiting + this.matching.running.size > 0
  }

  get receiversPresent(): number {
    return this.matching.receiversWaiting + this.matching.running.size
  }

  get bytesIn(): number {
    return this.matching.bytesIn
  }

  get bytesOut(): number {
    return this.matching.bytesOut
  }

  get bytesSent(): number {
    return this.bytesOut
  }

  transfers(): Iterable<PipeView> {
    return this.matching.transfers()
  }

  // --- for the table

  hasSenderFor(_options: JoinOptions): boolean {
    return this.matching.readySender !== undefined
  }

  receiversFor(_options: JoinOptions): number {
    return this.matching.readyReceiver === undefined ? 0 : 1
  }

  refuseSender(options: SenderJoinOptions): Refusal | undefined {
    const clash = refuseKind(this, options)
    if (clash !== undefined || options.stays) return clash
    return this.matching.refuseSender(this.context.limits.maxQueued)
  }

  refuseReceiver(options: ReceiverJoinOptions): Refusal | undefined {
    const clash = refuseKind(this, options)
    if (clash !== undefined || options.stays) return clash
    return this.matching.refuseReceiver(this.context.limits.maxQueued)
  }

  addSender(source: Source, head: StreamHead | undefined, options: SenderJoinOptions, mayBring = 0): SenderEndpoint {
    return this.matching.addSender(source, head, options, mayBring)
  }

  addReceiver(sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint {
    return this.matching.addReceiver(sink, options)
  }

  close(): void {
    this.matching.close()
  }

  stop(failure: Failure): void {
    this.endFailure = failure
    this.matching.endAll('stopped', (match) => match.stop(failure))
  }

  end(reason: EndReason): void {
    this.matching.endAll(reason, (match) => match.end(reason))
  }

  // --- for receivers that wait

  receiverLeft(endpoint: ReceiverEndpoint): void {
    this.matching.left(endpoint)
  }

  receiverFault(endpoint: ReceiverEndpoint): void {
    this.matching.fault(endpoint)
  }
}
