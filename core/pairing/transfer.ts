import type { EndReason } from '../end-reason.js'
import type { Failure, Refusal } from '../failure.js'
import type { Cursor } from '../flow/cursor.js'
import type { FanOut } from '../flow/fan-out.js'
import type { FanOutListener } from '../flow/fan-out-listener.js'
import type { Watchdog, WatchedTransfer } from '../flow/watchdog.js'
import type { ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { ReceiverEndpoint } from './receiver-endpoint.js'
import { SenderEndpoint } from './sender-endpoint.js'
import { TransferState } from './transfer-state.js'

/**
 * One sender and its receivers on one name: `waiting → streaming → ended`. There is one way out, `end(reason)`, and the first
 * reason wins. What stands on a name is one of its kinds, which say who may join, and what becomes of it when somebody goes.
 */
export abstract class Transfer extends TransferState implements FanOutListener, WatchedTransfer {
  #watchdog: Watchdog | undefined

  /** Why this sender may not join as things are; undefined when it may. */
  abstract refuseSender(options: SenderJoinOptions): Refusal | undefined

  /** The same for a receiver. */
  abstract refuseReceiver(options: ReceiverJoinOptions): Refusal | undefined

  protected abstract newFanOut(source: Source, options: SenderJoinOptions, reserved: number): FanOut

  protected abstract newCursor(sink: Sink, options: ReceiverJoinOptions): Cursor

  /** Who is watched for what while it streams. */
  protected abstract newWatchdog(fanOut: FanOut, options: SenderJoinOptions): Watchdog

  /** A receiver is gone while the stream flows, or its rest is on its way. */
  protected abstract streamingReceiverGone(endpoint: ReceiverEndpoint, reasonIfLast: EndReason): void

  /** What the receivers add to the limits of the whole. */
  protected abstract restrictForReceivers(): void

  /** The fan-out while sinks report to it. */
  get delivering(): FanOut | undefined {
    return this.state === 'streaming' ? this.fanOut : undefined
  }

  /** @param mayBring so many bytes have been reserved for it */
  addSender(source: Source, head: StreamHead | undefined, options: SenderJoinOptions, mayBring = 0): SenderEndpoint {
    const { observer } = this.context
    const fanOut = this.newFanOut(source, options, mayBring)
    const endpoint = new SenderEndpoint(this, source, fanOut, head, options)
    this.#refuseBeyondEnd(endpoint)
    this.sender = endpoint
    source.notify('waiting', this)
    observer?.onJoined(this, 'sender')
    this.#senderWaits(endpoint)
    this.streamIfReady()
    return endpoint
  }

  #senderWaits(endpoint: SenderEndpoint): void {
    const { limits, clock } = this.context
    endpoint.startWaiting(clock, limits.reminderMs, () => this.senderFails(endpoint, this.#missing))
  }

  addReceiver(sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint {
    const endpoint = new ReceiverEndpoint(this, this.newCursor(sink, options), options)
    this.enter(endpoint)
    return endpoint
  }

  protected enter(endpoint: ReceiverEndpoint): void {
    this.receivers.push(endpoint)
    if (this.isStreaming) {
      this.admit(endpoint)
      return
    }
    this.sender?.source.notify('receiver_joined', this)
    this.context.observer?.onJoined(this, 'receiver')
    endpoint.startWaiting(this.context.clock, () => this.#receiverExpired(endpoint))
    this.streamIfReady()
  }

  /** Somebody looks at what waits here, and takes nothing. */
  looked(): void {
    const { sender, state } = this
    if (state !== 'waiting' || sender === undefined) return
    this.looks++
    if (this.looks % 10 ** Math.floor(Math.log10(this.looks)) === 0) sender.source.notify('looked', this)
    this.context.observer?.onLooked(this)
  }

  /** A receiver has joined while the stream flows: only where `refuseReceiver` lets it. */
  protected admit(_endpoint: ReceiverEndpoint): void {}

  /** The sender's head is known. */
  headKnown(): void {
    this.#refuseBeyondEnd(this.sender!)
    this.streamIfReady()
  }

  /** The length of the stream is known. Receivers that wait for what is beyond it give up their places. */
  #refuseBeyondEnd(sender: SenderEndpoint): void {
    for (const endpoint of [...this.receivers]) {
      const refusal = sender.rangeRefusal(endpoint.options.range)
      if (refusal === undefined) continue
      this.dropReceiver(endpoint)
      endpoint.cursor.sink.refuse(refusal)
    }
  }

  /** Begins when everybody is there. */
  protected streamIfReady(): void {
    const { sender, head } = this
    if (sender === undefined || head === undefined || this.receivers.length < this.receiversWanted) return
    if (this.context.mayStream()) this.#stream(sender, head)
    else this.end('too_many_active')
  }

  #stream(sender: SenderEndpoint, head: StreamHead): void {
    const { fanOut, source, options } = sender
    this.state = 'streaming'
    this.pairedAt = this.now()
    this.context.onStreaming(this)
    sender.stopWaiting()
    for (const endpoint of this.receivers) endpoint.begins(head)
    let { newDigest } = options
    for (const endpoint of this.receivers) newDigest ??= endpoint.options.newDigest
    if (newDigest !== undefined) fanOut.digestBy(newDigest())
    source.notify('streaming', this)
    if (fanOut.sourceEnded) this.#uploaded(sender)
    this.limits.restrict(options.limits)
    this.restrictForReceivers()
    this.#watchdog = this.newWatchdog(fanOut, options)
    this.#watchdog.start(this.pairedAt, this.limits.totalMs)
    this.begun()
    const cursors = this.receivers.map((endpoint) => endpoint.cursor)
    if (Math.max(fanOut.bytesIn, sender.head?.length ?? 0) > this.limits.maxBytes) this.end('too_large')
    else fanOut.start(cursors, head, this, this.limits.throttles)
    if (fanOut.sourceEnded) this.bodyIsIn()
  }

  /** All sides are there, and the stream is about to flow. */
  protected begun(): void {
    this.context.observer?.onPaired(this)
  }

  /** The stream has lost its receivers and waits for others as if these had never come: nothing of it may be gone. */
  protected waitAgain(sender: SenderEndpoint): void {
    this.#watchdog?.stop()
    this.state = 'waiting'
    this.pairedAt = undefined
    this.receivers.length = 0
    this.limits.clear()
    this.context.onWaitingAgain(this)
    this.#senderWaits(sender)
  }

  bodyEnded(endpoint: SenderEndpoint): void {
    const length = endpoint.head?.length
    if (length !== undefined && length !== endpoint.fanOut.bytesIn) {
      this.senderFails(endpoint, 'wrong_length')
      return
    }
    if (this.state === 'streaming') this.#uploaded(endpoint)
    endpoint.fanOut.end()
    this.bodyIsIn()
  }

  /** All of the body has been read. If it streams now, receivers have been offered all that they have room for. */
  protected bodyIsIn(): void {}

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
    this.receiverGone(endpoint, 'receivers_left')
  }

  /** The gateway met a defect of its own while it served this receiver. */
  receiverFault(_endpoint: ReceiverEndpoint): void {
    this.end('fault')
  }

  /** The watchdog reports: this receiver takes nothing. */
  cutStalled(cursor: Cursor): void {
    this.cut(this.receivers.find((endpoint) => endpoint.cursor === cursor)!, 'receivers_stalled')
  }

  protected cut(endpoint: ReceiverEndpoint, reason: EndReason): void {
    endpoint.cursor.sink.abort(reason, this)
    this.receiverGone(endpoint, reason)
  }

  /** A receiver is gone for good: it left, or was cut. */
  protected receiverGone(endpoint: ReceiverEndpoint, reasonIfLast: EndReason): void {
    if (this.state !== 'waiting') {
      if (this.delivering !== undefined) this.streamingReceiverGone(endpoint, reasonIfLast)
      return
    }
    this.dropReceiver(endpoint)
    if (this.receivers.length === 0 && !this.hasSender) this.end('abandoned')
  }

  #receiverExpired(endpoint: ReceiverEndpoint): void {
    const reason = this.#missing
    if (!this.hasSender && this.receivers.length === 1) {
      this.end(reason)
      return
    }
    this.dropReceiver(endpoint)
    endpoint.cursor.sink.abort(reason, this)
  }

  /** A waiting receiver goes. */
  protected dropReceiver(endpoint: ReceiverEndpoint): void {
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
    for (const endpoint of this.receivers) endpoint.stopWaiting()
    this.sender?.stopWaiting()
    // Not while the rest of it is on its way.
    const isOver = this.delivering === undefined
    if (isOver) this.abortReceivers(reason)
    this.sender?.source.end(reason, this)
    if (isOver) this.fanOut?.discard()
    this.context.observer?.onEnded(this)
  }

  /** Ends the response of every receiver that has not got everything. */
  protected abortReceivers(reason: EndReason): void {
    for (const { cursor } of this.receivers) {
      if (cursor.present && !cursor.finished) cursor.sink.abort(reason, this)
    }
  }
}
