import type { EndReason } from '../end-reason.js'
import type { Failure } from '../failure.js'
import type { Cursor } from '../flow/cursor.js'
import { FanOut, type FanOutListener } from '../flow/fan-out.js'
import { Watchdog, type WatchedTransfer } from '../flow/watchdog.js'
import type { ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { PipeState, PipeView } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import type { PipeContext } from './pipe-context.js'
import { ReceiverEndpoint } from './receiver-endpoint.js'
import { SenderEndpoint } from './sender-endpoint.js'
import { TransferLimits } from './transfer-limits.js'

/**
 * Everyone on one name: `waiting → streaming → ended`. There is one way out, `end(reason)`, and the first reason wins.
 */
export class Pipe implements PipeView, FanOutListener, WatchedTransfer {
  state: PipeState = 'waiting'
  sender: SenderEndpoint | undefined
  readonly receivers: ReceiverEndpoint[] = []
  readonly openedAt: number
  pairedAt: number | undefined
  endedAt: number | undefined
  endReason: EndReason | undefined
  endFailure: Failure | undefined
  sha256: string | undefined
  /** No limits until the transfer begins. */
  readonly limits = new TransferLimits()
  #watchdog: Watchdog | undefined

  constructor(
    readonly context: PipeContext,
    readonly id: number,
    readonly key: string,
    readonly receiversWanted: number,
  ) {
    this.openedAt = context.clock.now()
  }

  get fanOut(): FanOut | undefined {
    return this.sender?.fanOut
  }

  get transferId(): string {
    return this.sender?.options.transferId ?? ''
  }

  get hasSender(): boolean {
    return this.sender !== undefined
  }

  get head(): StreamHead | undefined {
    return this.sender?.head
  }

  get receiversPresent(): number {
    let present = 0
    for (const endpoint of this.receivers) if (endpoint.cursor.present) present++
    return present
  }

  get bytesIn(): number {
    return this.fanOut?.bytesIn ?? 0
  }

  get bytesOut(): number {
    return this.fanOut?.slowest ?? 0
  }

  get bytesSent(): number {
    return this.fanOut?.sent ?? 0
  }

  get bytesSkipped(): number {
    return this.fanOut?.skipped ?? 0
  }

  get heldBackMs(): number {
    return this.fanOut?.heldBackMs ?? 0
  }

  get expectedBytes(): number | undefined {
    return this.head?.length ?? this.sender?.options.expectedBytes
  }

  /** Read it after calls that may have ended the pipe. */
  get isStreaming(): boolean {
    return this.state === 'streaming'
  }

  now(): number {
    return this.context.clock.now()
  }

  /** @param mayBring so many bytes have been reserved for it */
  addSender(source: Source, head: StreamHead | undefined, options: SenderJoinOptions, mayBring = 0): SenderEndpoint {
    const { limits, slabs, turn, clock, observer } = this.context
    const fanOut = new FanOut(source, limits, slabs, this, turn, mayBring)
    const endpoint = new SenderEndpoint(this, source, fanOut, head, options)
    this.#refuseBeyondEnd(endpoint)
    this.sender = endpoint
    source.notify('waiting', this)
    observer?.onJoined(this, 'sender')
    endpoint.startWaiting(clock, limits.reminderMs, () => this.senderFails(endpoint, this.#missing))
    this.#streamIfReady()
    return endpoint
  }

  addReceiver(sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint {
    const endpoint = new ReceiverEndpoint(this, sink, options)
    this.receivers.push(endpoint)
    this.sender?.source.notify('receiver_joined', this)
    this.context.observer?.onJoined(this, 'receiver')
    endpoint.startWaiting(this.context.clock, () => this.#receiverExpired(endpoint))
    this.#streamIfReady()
    return endpoint
  }

  /** The sender's head is known. */
  headKnown(): void {
    this.#refuseBeyondEnd(this.sender!)
    this.#streamIfReady()
  }

  /** The length of the stream is known. Receivers that wait for what is beyond it give up their places. */
  #refuseBeyondEnd(sender: SenderEndpoint): void {
    for (const endpoint of [...this.receivers]) {
      const refusal = sender.rangeRefusal(endpoint.options.range)
      if (refusal === undefined) continue
      this.#dropReceiver(endpoint)
      endpoint.cursor.sink.refuse(refusal)
    }
  }

  #streamIfReady(): void {
    const { sender, head } = this
    if (sender === undefined || head === undefined || this.receivers.length < this.receiversWanted) return
    if (this.context.mayStream()) this.#stream(sender, head)
    else this.end('too_many_active')
  }

  #stream(sender: SenderEndpoint, head: StreamHead): void {
    const { fanOut, source, options } = sender
    const { clock, observer, limits } = this.context
    this.state = 'streaming'
    this.pairedAt = clock.now()
    this.context.onStreaming(this)
    sender.stopWaiting()
    for (const endpoint of this.receivers) endpoint.begins(head)
    let { newDigest } = options
    for (const endpoint of this.receivers) newDigest ??= endpoint.options.newDigest
    if (newDigest !== undefined) fanOut.digestBy(newDigest())
    source.notify('streaming', this)
    if (fanOut.sourceEnded) this.#uploaded(sender)
    this.limits.restrict(options.limits)
    for (const endpoint of this.receivers) this.limits.restrict(endpoint.options.limits)
    this.#watchdog = new Watchdog(this, fanOut, clock, limits, options.stallMs)
    this.#watchdog.start(this.pairedAt, this.limits.totalMs)
    observer?.onPaired(this)
    const cursors = this.receivers.map((endpoint) => endpoint.cursor)
    if (Math.max(fanOut.bytesIn, head.length ?? 0) > this.limits.maxBytes) this.end('too_large')
    else fanOut.start(cursors, head, this, this.limits.throttles)
  }

  bodyEnded(endpoint: SenderEndpoint): void {
    const length = endpoint.head?.length
    if (length !== undefined && length !== endpoint.fanOut.bytesIn) {
      this.senderFails(endpoint, 'wrong_length')
      return
    }
    if (this.state === 'streaming') this.#uploaded(endpoint)
    endpoint.fanOut.end()
  }

  /** The whole body has been read. */
  #uploaded({ fanOut, source }: SenderEndpoint): void {
    this.sha256 = fanOut.digest?.hex()
    source.notify('uploaded', this)
  }

  senderLeft(endpoint: SenderEndpoint): void {
    if (this.state === 'waiting') {
      this.#dropSender(endpoint)
      if (this.receivers.length === 0) this.end('abandoned')
    } else if (!endpoint.fanOut.sourceEnded) {
      this.end('sender_left')
    }
    // Otherwise the whole body has been read, and the receivers still get it.
  }

  /** Ends the transfer of this sender. Receivers that only wait are left in peace. */
  senderFails(endpoint: SenderEndpoint, reason: EndReason): void {
    if (this.state === 'waiting' && this.receivers.length > 0) {
      this.#dropSender(endpoint)
      endpoint.source.end(reason, this)
    } else {
      this.end(reason)
    }
  }

  /** A waiting sender goes. The receivers stay for the next one. */
  #dropSender(endpoint: SenderEndpoint): void {
    endpoint.stopWaiting()
    this.sender = undefined
    endpoint.fanOut.discard()
    this.context.observer?.onLeft(this, 'sender')
  }

  receiverLeft(endpoint: ReceiverEndpoint): void {
    this.#receiverGone(endpoint, 'receivers_left')
  }

  /** The watchdog reports: this receiver takes nothing. */
  cutStalled(cursor: Cursor): void {
    cursor.sink.abort('receivers_stalled', this)
    this.#receiverGone(this.receivers.find((endpoint) => endpoint.cursor === cursor)!, 'receivers_stalled')
  }

  /** A receiver is gone for good: it left, or was cut. */
  #receiverGone(endpoint: ReceiverEndpoint, reasonIfLast: EndReason): void {
    if (this.state === 'waiting') {
      this.#dropReceiver(endpoint)
      if (this.receivers.length === 0 && !this.hasSender) this.end('abandoned')
      return
    }
    if (this.state === 'ended') return
    const sender = this.sender!
    if (!sender.fanOut.leave(endpoint.cursor)) {
      this.end(reasonIfLast)
      return
    }
    sender.source.notify('receiver_left', this)
    this.context.observer?.onLeft(this, 'receiver')
    sender.fanOut.settle()
  }

  #receiverExpired(endpoint: ReceiverEndpoint): void {
    const reason = this.#missing
    if (!this.hasSender && this.receivers.length === 1) {
      this.end(reason)
      return
    }
    this.#dropReceiver(endpoint)
    endpoint.cursor.sink.abort(reason, this)
  }

  /** A waiting receiver goes. */
  #dropReceiver(endpoint: ReceiverEndpoint): void {
    endpoint.stopWaiting()
    this.receivers.splice(this.receivers.indexOf(endpoint), 1)
    endpoint.cursor.present = false
    this.sender?.source.notify('receiver_left', this)
    this.context.observer?.onLeft(this, 'receiver')
  }

  /** What a side that gives up has waited for. */
  get #missing(): EndReason {
    if (!this.hasSender) return 'no_sender'
    return this.receivers.length < this.receiversWanted ? 'no_receivers' : 'empty_form'
  }

  /** The fan-out reports: every receiver that stayed has the last byte. */
  streamFinished(): void {
    this.end('complete')
  }

  /** The fan-out reports: bytes came that must not be kept. */
  streamOverflowed(): void {
    this.senderFails(this.sender!, 'overflow')
  }

  /** A caller outside the core ends the pipe, and says why. */
  stop(failure: Failure): void {
    if (this.state === 'ended') return
    this.endFailure = failure
    this.end('stopped')
  }

  /** The one way out. Tells both sides, and frees the name and everything held. */
  end(reason: EndReason): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.endReason = reason
    this.endedAt = this.context.clock.now()
    this.#watchdog?.stop()
    this.context.onEnded(this)
    for (const endpoint of this.receivers) {
      endpoint.stopWaiting()
      if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.abort(reason, this)
    }
    const { sender } = this
    if (sender !== undefined) {
      sender.stopWaiting()
      sender.source.end(reason, this)
      sender.fanOut.discard()
    }
    this.context.observer?.onEnded(this)
  }
}
