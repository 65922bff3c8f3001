import type { Deadline } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import type { Refusal } from '../failure.js'
import { Cursor } from '../flow/cursor.js'
import { KeptFanOut, type KeptFanOutListener } from '../flow/kept-fan-out.js'
import { Watchdog } from '../flow/watchdog.js'
import type { SenderJoinOptions } from '../join-options.js'
import type { KindName } from '../kind.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import type { Member } from './group.js'
import type { MatchedReceiver } from './matched-receiver.js'
import type { PipeContext } from './pipe-context.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { Transfer } from './transfer.js'
import type { Place, Queued } from './waiting-line.js'

/** Where the matches of one name come from: it finds their receivers. */
export interface Matchmaker extends PipeContext {
  readonly kind: KindName
  readonly key: string
  /** It has been given back, and waits in front of all who came later. */
  onGivenBack(match: Match): void
  /** It can be matched now: what it has to send is known, or it has been given back. */
  onReady(match: Match): void
}

/**
 * One sender and, as long as it streams, one receiver. Until something of the stream has arrived at the receiver's machine, a
 * receiver that goes costs nothing: the match waits again, with everything that has been read. After that there is no way back.
 *
 * A receiver counts as paired, for observers, when something has arrived at it.
 */
export class Match extends Transfer implements KeptFanOutListener, Queued<Match> {
  readonly kind: KindName
  place: Place<Match> | undefined
  /** Its place among those that have a receiver. */
  running: Member<Match> | undefined
  #nextLook: Deadline | undefined
  /** Since when the receiver has had a chance to take a byte. */
  #offeredAt = 0
  /** All of the stream has been read, and nobody is left who could be told that it waits again. */
  #isOrphan = false

  constructor(
    readonly maker: Matchmaker,
    id: number,
  ) {
    super(maker, id, maker.key, 1)
    this.kind = maker.kind
  }

  override addSender(
    source: Source,
    head: StreamHead | undefined,
    options: SenderJoinOptions,
    mayBring?: number,
  ): SenderEndpoint {
    this.isLine = options.isLine === true
    return super.addSender(source, head, options, mayBring)
  }

  /** Whether it waits, and could be given to a receiver. */
  get isReady(): boolean {
    return this.state === 'waiting' && this.head !== undefined
  }

  /** Something of it has arrived, and nobody else will get it. */
  get isTaken(): boolean {
    return this.fanOut !== undefined && this.#fanOut.isTaken
  }

  /** Its receiver has come: the stream flows. */
  receive(endpoint: MatchedReceiver): void {
    endpoint.belongsTo(this)
    this.enter(endpoint)
  }

  /** Its receiver is known to have got something of it. */
  protected take(): void {
    this.#fanOut.takeForTaken()
    this.#fanOut.settle()
  }

  /** Places are given out by its maker. */
  refuseSender(): Refusal | undefined {
    return undefined
  }

  refuseReceiver(): Refusal | undefined {
    return undefined
  }

  override headKnown(): void {
    super.headKnown()
    this.maker.onReady(this)
  }

  override senderLeft(endpoint: SenderEndpoint): void {
    if (this.isStreaming) this.#isOrphan = true
    super.senderLeft(endpoint)
  }

  /** Observers are told later, in `streamTaken`. */
  protected override begun(): void {
    this.#offeredAt = this.now()
    this.#lookLater()
  }

  streamTaken(): void {
    this.#lookNoMore()
    this.context.observer?.onPaired(this)
  }

  override streamFinished(): void {
    this.#fanOut.takeForTaken()
    super.streamFinished()
  }

  protected streamingReceiverGone(endpoint: ReceiverEndpoint, reason: EndReason): void {
    this.#fanOut.look()
    if (!this.#fanOut.isTaken && !this.#isOrphan) {
      this.#giveBack()
      return
    }
    this.#fanOut.leave(endpoint.cursor)
    this.end(reason)
  }

  #giveBack(): void {
    const sender = this.sender!
    this.#lookNoMore()
    this.#fanOut.giveBack()
    this.waitAgain(sender)
    this.maker.onGivenBack(this)
    sender.source.notify('given_back', this)
    this.context.observer?.onLeft(this, 'receiver')
    this.maker.onReady(this)
  }

  override end(reason: EndReason): void {
    this.#lookNoMore()
    super.end(reason)
  }

  /** At the next tick of the clock. */
  #lookLater(): void {
    this.#nextLook = this.context.clock.after(1, () => {
      this.#nextLook = undefined
      this.#fanOut.look()
      this.#cutWhoTakesNothing()
      // The next receiver may have come meanwhile.
      const looks = this.#nextLook !== undefined
      if (this.isStreaming && !this.#fanOut.isTaken && !looks) this.#lookLater()
    })
  }

  #lookNoMore(): void {
    this.#nextLook?.cancel()
    this.#nextLook = undefined
  }

  #cutWhoTakesNothing(): void {
    const { fanOut, options } = this.sender!
    const { takeMs = 0 } = options
    if (this.#fanOut.isTaken || takeMs === 0) return
    if (fanOut.bytesIn === 0) this.#offeredAt = this.now()
    else if (this.now() - this.#offeredAt >= takeMs) this.cut(this.receivers[0]!, 'receivers_stalled')
  }

  get #fanOut(): KeptFanOut {
    return this.fanOut as KeptFanOut
  }

  protected newFanOut(source: Source, _options: SenderJoinOptions, reserved: number): KeptFanOut {
    const { limits, slabs, turn } = this.context
    return new KeptFanOut(source, limits, slabs, this, turn, reserved)
  }

  protected newCursor(sink: Sink): Cursor {
    return new Cursor(sink)
  }

  protected newWatchdog(fanOut: KeptFanOut, { stallMs }: SenderJoinOptions): Watchdog {
    const { clock, limits } = this.context
    return new Watchdog(this, fanOut, clock, limits, stallMs)
  }

  protected restrictForReceivers(): void {
    for (const { options } of this.receivers) this.limits.restrict(options.limits)
  }
}
