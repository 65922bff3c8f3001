import type { Clock, Deadline } from './clock.js'
import type { EndReason } from './end-reason.js'
import { ReceiverEndpoint, SenderEndpoint } from './endpoints.js'
import type { Failure } from './failure.js'
import type { FanOut } from './fan-out.js'
import type { JoinOptions, Limits, SenderJoinOptions, SideLimits } from './limits.js'
import type { PipeObserver, PipeState, PipeView } from './observer.js'
import type { Sink, Source, StreamHead } from './ports.js'
import type { SlabPool } from './slab-pool.js'
import type { Throttle } from './throttle.js'
import { Watchdog } from './watchdog.js'

/** How often a streaming pipe looks at its limits. */
const PATROL_MS = 1000

/** What a pipe needs of its surroundings: the table that holds it. */
export interface PipeContext {
  readonly limits: Limits
  readonly clock: Clock
  readonly slabs: SlabPool
  readonly observer: PipeObserver | null
  /** The pipe wants to stream. False: as many as allowed already do. */
  mayStream(): boolean
  streams(pipe: Pipe): void
  /** The pipe is over; its name is free from now on. */
  ended(pipe: Pipe): void
}

/**
 * What stands on a name: `waiting → streaming → ended`, with one way out, `end(reason)`. The first reason wins.
 */
export class Pipe implements PipeView {
  state: PipeState = 'waiting'
  sender: SenderEndpoint | undefined
  readonly receivers: ReceiverEndpoint[] = []
  readonly openedAt: number
  pairedAt: number | undefined
  endedAt: number | undefined
  endReason: EndReason | undefined
  endFailure: Failure | undefined
  sha256: string | undefined
  /** The strictest of what its sides were given. */
  maxBytes = Number.POSITIVE_INFINITY
  #totalMs = Number.POSITIVE_INFINITY
  readonly #throttles: Throttle[] = []
  /** When it has streamed too long. */
  #total: Deadline | undefined
  /** The next word to a sender that waits. */
  #reminder: Deadline | undefined
  /** The next look at the limits while streaming. */
  #patrol: Deadline | undefined
  #pace: Watchdog | undefined

  constructor(
    readonly context: PipeContext,
    readonly id: number,
    readonly key: string,
    readonly receiversWanted: number,
  ) {
    this.openedAt = context.clock.now()
  }

  get transferId(): string {
    return this.sender?.terms.transferId ?? ''
  }

  get hasSender(): boolean {
    return this.sender !== undefined
  }

  get receiversPresent(): number {
    let present = 0
    for (const endpoint of this.receivers) if (endpoint.cursor.present) present++
    return present
  }

  get bytesIn(): number {
    return this.sender?.fanOut.bytesIn ?? 0
  }

  get bytesOut(): number {
    return this.sender?.fanOut.slowest ?? 0
  }

  get bytesSent(): number {
    return this.sender?.fanOut.sent ?? 0
  }

  get heldBackMs(): number {
    return this.sender?.fanOut.heldBackMs ?? 0
  }

  get expectedBytes(): number | undefined {
    return this.sender?.head?.length ?? this.sender?.terms.expectedBytes
  }

  addSender(source: Source, head: StreamHead | undefined, terms: SenderJoinOptions): SenderEndpoint {
    const endpoint = new SenderEndpoint(this, source, head, terms)
    this.sender = endpoint
    source.tell('waiting', this)
    this.context.observer?.onJoined(this, 'sender')
    endpoint.deadline = this.context.clock.after(terms.waitMs, () => this.senderFails(endpoint, this.#missing))
    this.#remind(endpoint)
    this.#streamIfReady()
    return endpoint
  }

  addReceiver(sink: Sink, terms: JoinOptions): ReceiverEndpoint {
    const endpoint = new ReceiverEndpoint(this, sink, terms)
    this.receivers.push(endpoint)
    this.sender?.source.tell('receiver_joined', this)
    this.context.observer?.onJoined(this, 'receiver')
    endpoint.deadline = this.context.clock.after(terms.waitMs, () => this.#receiverExpired(endpoint))
    this.#streamIfReady()
    return endpoint
  }

  /** The sender's head is there. */
  headKnown(): void {
    this.#streamIfReady()
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

  senderLeft(endpoint: SenderEndpoint): void {
    if (this.state === 'waiting') {
      this.#dropSender(endpoint)
      if (this.receivers.length === 0) this.end('abandoned')
    } else if (!endpoint.fanOut.sourceEnded) {
      this.end('sender_left')
    }
    // Otherwise its body is here, whole, and the receivers shall have it.
  }

  receiverLeft(endpoint: ReceiverEndpoint): void {
    this.#receiverGone(endpoint, 'receivers_left')
  }

  /** The fan-out reports: every receiver that stayed has the last byte. */
  streamFinished(): void {
    this.end('complete')
  }

  /** The fan-out reports: bytes came that may not be kept. */
  streamOverflowed(): void {
    this.senderFails(this.sender!, 'overflow')
  }

  /** Somebody above the core ends it, and says why. */
  stop(failure: Failure): void {
    if (this.state === 'ended') return
    this.endFailure = failure
    this.end('stopped')
  }

  now(): number {
    return this.context.clock.now()
  }

  /** The one way out. Tells both sides, frees the name and everything held. */
  end(reason: EndReason): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.endReason = reason
    this.endedAt = this.context.clock.now()
    this.#patrol?.cancel()
    this.#total?.cancel()
    this.context.ended(this)
    for (const endpoint of this.receivers) {
      endpoint.deadline?.cancel()
      if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.abort(reason, this)
    }
    const { sender } = this
    if (sender !== undefined) {
      this.#stopWaiting(sender)
      sender.source.end(reason, this)
      sender.fanOut.discard()
    }
    this.context.observer?.onEnded(this)
  }

  #streamIfReady(): void {
    const { sender } = this
    const head = sender?.head
    if (sender === undefined || head === undefined || this.receivers.length < this.receiversWanted) return
    if (!this.context.mayStream()) {
      this.end('too_many_active')
      return
    }
    this.state = 'streaming'
    this.pairedAt = this.context.clock.now()
    this.#pace = new Watchdog(this.context.limits, this.pairedAt)
    this.context.streams(this)
    this.#stopWaiting(sender)
    for (const endpoint of this.receivers) endpoint.deadline?.cancel()
    let { newDigest } = sender.terms
    for (const endpoint of this.receivers) newDigest ??= endpoint.terms.newDigest
    if (newDigest !== undefined) sender.fanOut.digestBy(newDigest())
    sender.source.tell('streaming', this)
    if (sender.fanOut.sourceEnded) this.#uploaded(sender)
    this.#patrolLater()
    this.#restrict(sender)
    this.context.observer?.onPaired(this)
    const cursors = this.receivers.map((endpoint) => endpoint.cursor)
    if (Math.max(sender.fanOut.bytesIn, head.length ?? 0) > this.maxBytes) this.end('too_large')
    else sender.fanOut.start(cursors, head, this, this.#throttles)
  }

  /** The whole body has been read. */
  #uploaded({ fanOut, source }: SenderEndpoint): void {
    this.sha256 = fanOut.digest?.hex()
    source.tell('uploaded', this)
  }

  /** What any side was given holds for the whole transfer. */
  #restrict(sender: SenderEndpoint): void {
    this.#takeLimits(sender.terms.limits)
    for (const endpoint of this.receivers) this.#takeLimits(endpoint.terms.limits)
    if (this.#totalMs < Number.POSITIVE_INFINITY) {
      this.#total = this.context.clock.after(this.#totalMs, () => this.end('too_long'))
    }
  }

  #takeLimits(limits: SideLimits | undefined): void {
    if (limits === undefined) return
    this.maxBytes = Math.min(this.maxBytes, limits.maxBytes ?? this.maxBytes)
    this.#totalMs = Math.min(this.#totalMs, limits.totalMs ?? this.#totalMs)
    for (const each of limits.throttles ?? []) if (!this.#throttles.includes(each)) this.#throttles.push(each)
  }

  /** Ends what runs by time while a sender waits. */
  #stopWaiting(endpoint: SenderEndpoint): void {
    endpoint.deadline?.cancel()
    this.#reminder?.cancel()
  }

  #remind(endpoint: SenderEndpoint): void {
    this.#reminder = this.context.clock.after(this.context.limits.reminderMs, () => {
      this.#remind(endpoint)
      endpoint.source.tell('still_waiting', this)
    })
  }

  /** A waiting sender goes; the receivers stay for the next one. */
  #dropSender(endpoint: SenderEndpoint): void {
    this.#stopWaiting(endpoint)
    this.sender = undefined
    endpoint.fanOut.discard()
    this.context.observer?.onLeft(this, 'sender')
  }

  #dropReceiver(endpoint: ReceiverEndpoint): void {
    endpoint.deadline?.cancel()
    this.receivers.splice(this.receivers.indexOf(endpoint), 1)
    endpoint.cursor.present = false
    this.sender?.source.tell('receiver_left', this)
    this.context.observer?.onLeft(this, 'receiver')
  }

  /** Ends the transfer of this sender; receivers that only wait are left in peace. */
  senderFails(endpoint: SenderEndpoint, reason: EndReason): void {
    if (this.state === 'waiting' && this.receivers.length > 0) {
      this.#dropSender(endpoint)
      endpoint.source.end(reason, this)
    } else {
      this.end(reason)
    }
  }

  /** What a side that gives up has waited for. */
  get #missing(): EndReason {
    if (!this.hasSender) return 'no_sender'
    return this.receivers.length < this.receiversWanted ? 'no_receivers' : 'empty_form'
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

  /** A receiver is gone for good, by itself or because it was cut. */
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
    sender.source.tell('receiver_left', this)
    this.context.observer?.onLeft(this, 'receiver')
    sender.fanOut.settle()
  }

  /** Read after calls that may have ended the pipe. */
  get isStreaming(): boolean {
    return this.state === 'streaming'
  }

  #patrolLater(): void {
    this.#patrol = this.context.clock.after(PATROL_MS, () => {
      this.#lookAtLimits()
      if (this.isStreaming) this.#patrolLater()
    })
  }

  #lookAtLimits(): void {
    const { fanOut, terms } = this.sender!
    const now = this.context.clock.now()
    if (terms.stallMs > 0) this.#cutStalled(fanOut, now, terms.stallMs)
    const fault = this.#pace!.fault(fanOut, now)
    if (fault !== undefined) this.end(fault)
  }

  #cutStalled(fanOut: FanOut, now: number, stallMs: number): void {
    for (;;) {
      const cursor = this.isStreaming ? fanOut.stalled(now, stallMs) : undefined
      if (cursor === undefined) return
      cursor.sink.abort('receivers_stalled', this)
      this.#receiverGone(this.receivers.find((endpoint) => endpoint.cursor === cursor)!, 'receivers_stalled')
    }
  }
}
