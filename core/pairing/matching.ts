import type { Deadline } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, type Failure, Refusal } from '../failure.js'
import type { ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { KindName } from '../kind.js'
import type { PipeView } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { Group } from './group.js'
import type { Match, Matchmaker } from './match.js'
import { MatchedReceiver } from './matched-receiver.js'
import { orEnd } from './or-end.js'
import { ContextWithin, type SharedNameContext } from './pipe-context.js'
import type { ReceiverEndpoint, ReceiverPipe } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { Line } from './waiting-line.js'

/** How those who wait are seen from outside: a view of the name as a whole, for receivers that are told of the end of their wait. */
export interface MatchingView extends ReceiverPipe {
  readonly kind: KindName
  readonly key: string
  endFailure: Failure | undefined
  /** What those who wait are called. */
  readonly sides: { readonly sender: string; readonly receiver: string }
  /** Something besides those who wait or stream keeps the name. */
  readonly isHeld: boolean
  newMatch(maker: Matchmaker, id: number): Match
}

/**
 * The senders and the receivers of one name, first come, first served on both sides. A sender that waits is a `Match` without a
 * receiver; a receiver that waits has none yet. Who is seen to be gone, or has not told its head, keeps its place and is passed
 * over.
 */
export class Matching extends ContextWithin implements Matchmaker {
  readonly kind: KindName
  readonly key: string
  readonly #senders = new Line<Match>()
  readonly #receivers = new Line<MatchedReceiver>()
  readonly #running = new Group<Match>()
  #lastGivenBack: Match | undefined
  #isClosed = false
  /** The next look at those who were passed over. */
  #nextLook: Deadline | undefined
  /** Bytes of transfers that are over: read, and taken. Those of a match that may still be given back do not count. */
  #bytesIn = 0
  #bytesOut = 0

  constructor(
    readonly name: MatchingView,
    table: SharedNameContext,
  ) {
    super(table)
    this.kind = name.kind
    this.key = name.key
  }

  // --- who is here

  get sendersWaiting(): number {
    return this.#senders.length
  }

  get receiversWaiting(): number {
    return this.#receivers.length
  }

  get running(): Group<Match> {
    return this.#running
  }

  /** A sender that could be matched now, and a receiver. */
  get readySender(): Match | undefined {
    return this.#senders.first((match) => match.isReady)
  }

  get readyReceiver(): MatchedReceiver | undefined {
    return this.#receivers.first((receiver) => receiver.isHere)
  }

  /** All its transfers. */
  *transfers(): Generator<Match> {
    yield* this.#running
    yield* this.#senders.all()
  }

  get bytesIn(): number {
    let bytes = this.#bytesIn
    for (const match of this.#running) if (match.isTaken) bytes += match.bytesIn
    return bytes
  }

  get bytesOut(): number {
    let bytes = this.#bytesOut
    for (const match of this.#running) if (match.isTaken) bytes += match.bytesOut
    return bytes
  }

  // --- who comes

  /** Why a sender that has to wait cannot; undefined when it can, or need not. */
  refuseSender(most: number): Refusal | undefined {
    if (this.readyReceiver !== undefined) return undefined
    return this.#refuseWaiting(this.#senders.length, most, this.name.sides.sender)
  }

  refuseReceiver(most: number): Refusal | undefined {
    if (this.readySender !== undefined) return undefined
    return this.#refuseWaiting(this.#receivers.length, most, this.name.sides.receiver)
  }

  #refuseWaiting(waiting: number, most: number, side: string): Refusal | undefined {
    if (waiting >= most) return new Refusal(CORE_FAILURES.queueFull, { expected: most, side })
    const { maxWaiting: expected } = this.limits
    return this.table.mayWait() ? undefined : new Refusal(CORE_FAILURES.tooManyWaiting, { expected })
  }

  addSender(
    source: Source,
    head: StreamHead | undefined,
    options: SenderJoinOptions,
    mayBring: number,
  ): SenderEndpoint {
    const match = this.name.newMatch(this, this.table.nextId())
    this.#senders.join(match)
    this.table.onOpened(match)
    return orEnd(match, () => {
      const endpoint = match.addSender(source, head, options, mayBring)
      this.#match()
      return endpoint
    })
  }

  addReceiver(sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint {
    const receiver = new MatchedReceiver(this.name, sink, options)
    this.#receivers.join(receiver)
    this.table.queuedReceivers++
    this.table.counted()
    receiver.startWaiting(this.clock, () => this.#dismiss(receiver, 'no_sender'))
    this.#match()
    return receiver
  }

  /** It gets its old place: of several whose receivers are gone, none knows which of them is told first. */
  onGivenBack(match: Match): void {
    match.running?.leave()
    const last = this.#lastGivenBack
    this.#senders.joinBehind(
      match,
      ({ id }) => id < match.id,
      last !== undefined && last.id < match.id ? last : undefined,
    )
    this.#lastGivenBack = match
  }

  onReady(match: Match): void {
    if (this.#isClosed) match.end('shutting_down')
    else this.#match()
  }

  /** Joins the first of one line with the first of the other one. */
  #match(): void {
    this.#nextLook?.cancel()
    for (;;) {
      const pair = this.#nextPair()
      if (pair === undefined) break
      const { match, receiver } = pair
      this.#senders.leave(match)
      this.#leaveLine(receiver)
      match.running = this.#running.join(match)
      orEnd(match, () => match.receive(receiver))
    }
    // Whoever was passed over may be found to be here after all.
    const arePassedOver = this.readySender !== undefined && this.#receivers.length > 0
    if (arePassedOver) this.#nextLook = this.clock.after(1, () => this.#match())
  }

  /** The first that waits, and the first who can take it. Who can take only some is passed over by the others. */
  #nextPair(): { readonly match: Match; readonly receiver: MatchedReceiver } | undefined {
    const match = this.readySender
    const receiver = match && this.readyReceiver
    if (match === undefined || receiver === undefined) return undefined
    if (receiver.takes(match)) return { match, receiver }
    const another = this.#receivers.first((each) => each.isHere && each.takes(match))
    if (another !== undefined) return { match, receiver: another }
    const later = this.#senders.first((each) => each.isReady && receiver.takes(each))
    return later && { match: later, receiver }
  }

  // --- who goes

  /** A receiver that waits is gone, or met a defect. */
  left(receiver: ReceiverEndpoint): void {
    this.#forget(receiver as MatchedReceiver)
  }

  fault(receiver: ReceiverEndpoint): void {
    this.#dismiss(receiver as MatchedReceiver, 'fault')
  }

  #dismiss(receiver: MatchedReceiver, reason: EndReason): void {
    if (receiver.place === undefined) return
    this.#forget(receiver)
    receiver.cursor.sink.abort(reason, this.name)
  }

  #forget(receiver: MatchedReceiver): void {
    receiver.stopWaiting()
    receiver.cursor.present = false
    this.#leaveLine(receiver)
    this.settle()
  }

  #leaveLine(receiver: MatchedReceiver): void {
    this.#receivers.leave(receiver)
    this.table.queuedReceivers--
    this.table.counted()
  }

  /** Somebody has gone, or what held the name. */
  settle(): void {
    const [senders, receivers] = [this.#senders.length, this.#receivers.length]
    if (senders === 0 || receivers === 0) this.#nextLook?.cancel()
    if (senders + receivers + this.#running.size === 0 && !this.name.isHeld) this.table.onEmpty(this.key)
  }

  /** Nobody waits from now on; what runs goes on. */
  close(): void {
    this.#isClosed = true
    for (const receiver of this.#receivers.all()) this.#dismiss(receiver, 'shutting_down')
    for (const match of this.#senders.all()) match.end('shutting_down')
  }

  /** Ends everything here. */
  endAll(reason: EndReason, end: (match: Match) => void): void {
    this.#isClosed = true
    for (const receiver of this.#receivers.all()) this.#dismiss(receiver, reason)
    for (const match of [...this.transfers()]) end(match)
  }

  // --- what a match needs

  onEnded(match: PipeView): void {
    const ended = match as Match
    this.#senders.leave(ended)
    if (this.#lastGivenBack === ended) this.#lastGivenBack = undefined
    if (ended.running?.leave() === true) {
      this.#bytesIn += match.bytesIn
      this.#bytesOut += match.bytesOut
    }
    this.table.onOneEnded(match)
    this.settle()
  }
}
