import type { Deadline } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, Refusal } from '../failure.js'
import type { FanOut } from '../flow/fan-out.js'
import { Watchdog } from '../flow/watchdog.js'
import type { ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import { LiveCursor } from '../live/live-cursor.js'
import { LiveFanOut } from '../live/live-fan-out.js'
import type { LiveFanOutListener } from '../live/live-fan-out-options.js'
import type { LiveSenderOptions } from '../live-options.js'
import type { LiveCounts } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { refuseKind } from './kind-clash.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { Transfer } from './transfer.js'

/**
 * Viewers come and go while one sender streams. It ends with the sender: cleanly when its body does, and then viewers still get
 * what they have not taken, though the name is free at once.
 */
export class Live extends Transfer implements LiveFanOutListener {
  readonly kind = 'live'
  #peak = 0
  #cuts = 0
  /** Its part of `context.viewers`. */
  #counted = 0
  /** The stream has ended cleanly, and its end is still on its way to some viewers. */
  #isResting = false
  #restEnds: Deadline | undefined

  refuseSender(options: SenderJoinOptions): Refusal | undefined {
    return refuseKind(this, options) ?? (this.hasSender ? new Refusal(CORE_FAILURES.liveSenderExists) : undefined)
  }

  refuseReceiver(options: ReceiverJoinOptions): Refusal | undefined {
    const takesAny = options.orLive === true && this.isStreaming
    const clash = takesAny ? undefined : refuseKind(this, options)
    if (clash !== undefined) return clash
    const { maxViewers } = this.context.limits.live
    const isFull = this.receivers.length >= maxViewers
    return isFull ? new Refusal(CORE_FAILURES.viewersFull, { expected: maxViewers }) : undefined
  }

  override addSender(
    source: Source,
    head: StreamHead | undefined,
    options: SenderJoinOptions,
    mayBring = 0,
  ): SenderEndpoint {
    this.receiversWanted = options.receivers
    // Who came and went before was never a viewer of this one.
    this.#peak = this.receivers.length
    return super.addSender(source, head, options, mayBring)
  }

  override addReceiver(sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint {
    // A part of what has no end cannot be had.
    const endpoint = super.addReceiver(sink, { ...options, range: undefined })
    this.#count()
    return endpoint
  }

  override end(reason: EndReason): void {
    super.end(reason)
    this.#count()
  }

  /** Only this viewer is served no more. */
  override receiverFault(endpoint: ReceiverEndpoint): void {
    this.cut(endpoint, 'fault')
  }

  override get live(): LiveCounts {
    const skips = this.#fanOut?.skips ?? 0
    return { viewers: this.receiversPresent, peak: this.#peak, skips, cuts: this.#cuts }
  }

  /** Nobody gets the length: who comes later gets less. */
  override get head(): StreamHead | undefined {
    const head = this.sender?.head
    return head?.length === undefined ? head : { ...head, length: undefined }
  }

  override get bytesOut(): number {
    return this.bytesIn
  }

  override get expectedBytes(): number | undefined {
    return this.sender?.options.expectedBytes
  }

  override get delivering(): FanOut | undefined {
    return this.#isResting ? this.fanOut : super.delivering
  }

  /** Its sender is done, and its name is free; viewers get the rest. */
  protected override bodyIsIn(): void {
    if (!this.isStreaming) return
    const { clock, limits } = this.context
    this.#isResting = true
    this.end('complete')
    this.#restEnds = clock.after(limits.live.restMs, () => this.endRest('receivers_stalled'))
    this.context.onResting(this)
  }

  override streamFinished(): void {
    if (this.#isResting) this.endRest('complete')
    else super.streamFinished()
  }

  cutBehind(cursor: LiveCursor): void {
    this.cut(this.#endpointOf(cursor), 'fell_behind')
  }

  /** Cuts everybody who has not got the rest. */
  endRest(reason: EndReason): void {
    if (!this.#isResting) return
    this.abortReceivers(reason)
    this.#isResting = false
    this.#restEnds?.cancel()
    this.fanOut!.discard()
    this.context.onRested(this)
    this.#count()
  }

  protected override cut(endpoint: ReceiverEndpoint, reason: EndReason): void {
    this.#cuts++
    super.cut(endpoint, reason)
  }

  protected newFanOut(source: Source, options: SenderJoinOptions, reserved: number): FanOut {
    const { limits, slabs, turn } = this.context
    return new LiveFanOut(source, slabs, this, turn, { ...this.#options(options), limits, live: limits.live, reserved })
  }

  protected newCursor(sink: Sink, { live = {} }: ReceiverJoinOptions): LiveCursor {
    return new LiveCursor(sink, live)
  }

  /** No viewer is so slow that the stream would end, and those who are cut when they fall behind are when they stand still. */
  protected newWatchdog(fanOut: FanOut, options: SenderJoinOptions): Watchdog {
    const { clock, limits } = this.context
    const isPaced = this.#options(options).slow === 'hold'
    const most = limits.live.stallMs
    const stallMs = isPaced ? options.stallMs : Math.min(options.stallMs || most, most)
    return new Watchdog(this, fanOut, clock, { ...limits, minRate: 0 }, stallMs, options.waitMs)
  }

  /** What one viewer may is not what all may. */
  protected restrictForReceivers(): void {}

  protected override admit(endpoint: ReceiverEndpoint): void {
    this.context.observer?.onJoined(this, 'receiver')
    this.#fanOut!.admit(endpoint.cursor as LiveCursor)
  }

  /** It goes on without them. */
  protected streamingReceiverGone(endpoint: ReceiverEndpoint): void {
    this.receivers.splice(this.receivers.indexOf(endpoint), 1)
    const { fanOut } = this.sender!
    fanOut.leave(endpoint.cursor)
    this.#count()
    if (this.isStreaming) this.context.observer?.onLeft(this, 'receiver')
    fanOut.settle()
  }

  protected override dropReceiver(endpoint: ReceiverEndpoint): void {
    super.dropReceiver(endpoint)
    this.#count()
  }

  /** Keeps the number of all viewers right, and the most that were here. */
  #count(): void {
    const now = this.state === 'ended' && !this.#isResting ? 0 : this.receivers.length
    this.context.viewers += now - this.#counted
    this.#counted = now
    this.#peak = Math.max(this.#peak, now)
  }

  get #fanOut(): LiveFanOut | undefined {
    return this.fanOut as LiveFanOut | undefined
  }

  #options({ live }: SenderJoinOptions): LiveSenderOptions {
    return live ?? { lagBytes: this.context.limits.live.budgetBytes }
  }

  #endpointOf(cursor: LiveCursor): ReceiverEndpoint {
    return this.receivers.find((endpoint) => endpoint.cursor === cursor)!
  }
}
