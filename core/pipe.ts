import type { EndReason } from './end-reason.js'
import type { Failure } from './failure.js'
import type { FanOut } from './fan-out.js'
import type { Limits, SenderTerms, SideLimits, Terms } from './limits.js'
import type { PipeObserver, PipeState, PipeView } from './observer.js'
import { Pace } from './pace.js'
import type { Sink, Source, StreamHead } from './ports.js'
import type { Deadline, Pulse } from './pulse.js'
import { ReceiverSeat, SenderSeat } from './seats.js'
import type { SlabPool } from './slab-pool.js'
import type { Throttle } from './throttle.js'

/** How often a streaming pipe looks at its limits. */
const PATROL_MS = 1000

/** What a pipe needs of its surroundings: the table that holds it. */
export interface PipeHome {
  readonly limits: Limits
  readonly pulse: Pulse
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
  sender: SenderSeat | undefined
  readonly receivers: ReceiverSeat[] = []
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
  #pace: Pace | undefined

  constructor(
    readonly home: PipeHome,
    readonly id: number,
    readonly key: string,
    readonly receiversWanted: number,
  ) {
    this.openedAt = home.pulse.now()
  }

  get transferId(): string {
    return this.sender?.terms.transferId ?? ''
  }

  get hasSender(): boolean {
    return this.sender !== undefined
  }

  get receiversPresent(): number {
    let present = 0
    for (const seat of this.receivers) if (seat.lane.present) present++
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

  addSender(source: Source, head: StreamHead | undefined, terms: SenderTerms): SenderSeat {
    const seat = new SenderSeat(this, source, head, terms)
    this.sender = seat
    source.tell('waiting', this)
    this.home.observer?.onJoined(this, 'sender')
    seat.deadline = this.home.pulse.expect(terms.waitMs, () => this.senderFails(seat, this.#missing))
    this.#remind(seat)
    this.#streamIfReady()
    return seat
  }

  addReceiver(sink: Sink, terms: Terms): ReceiverSeat {
    const seat = new ReceiverSeat(this, sink, terms)
    this.receivers.push(seat)
    this.sender?.source.tell('receiver_joined', this)
    this.home.observer?.onJoined(this, 'receiver')
    seat.deadline = this.home.pulse.expect(terms.waitMs, () => this.#receiverExpired(seat))
    this.#streamIfReady()
    return seat
  }

  /** The sender's head is there. */
  headKnown(): void {
    this.#streamIfReady()
  }

  bodyEnded(seat: SenderSeat): void {
    const length = seat.head?.length
    if (length !== undefined && length !== seat.fanOut.bytesIn) {
      this.senderFails(seat, 'wrong_length')
      return
    }
    if (this.state === 'streaming') this.#uploaded(seat)
    seat.fanOut.end()
  }

  senderLeft(seat: SenderSeat): void {
    if (this.state === 'waiting') {
      this.#dropSender(seat)
      if (this.receivers.length === 0) this.end('abandoned')
    } else if (!seat.fanOut.sourceEnded) {
      this.end('sender_left')
    }
    // Otherwise its body is here, whole, and the receivers shall have it.
  }

  receiverLeft(seat: ReceiverSeat): void {
    this.#receiverGone(seat, 'receivers_left')
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
    return this.home.pulse.now()
  }

  /** The one way out. Tells both sides, frees the name and everything held. */
  end(reason: EndReason): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.endReason = reason
    this.endedAt = this.home.pulse.now()
    this.#patrol?.cancel()
    this.#total?.cancel()
    this.home.ended(this)
    for (const seat of this.receivers) {
      seat.deadline?.cancel()
      if (seat.lane.present && !seat.lane.finished) seat.lane.sink.abort(reason, this)
    }
    const { sender } = this
    if (sender !== undefined) {
      this.#stopWaiting(sender)
      sender.source.end(reason, this)
      sender.fanOut.discard()
    }
    this.home.observer?.onEnded(this)
  }

  #streamIfReady(): void {
    const { sender } = this
    const head = sender?.head
    if (sender === undefined || head === undefined || this.receivers.length < this.receiversWanted) return
    if (!this.home.mayStream()) {
      this.end('too_many_active')
      return
    }
    this.state = 'streaming'
    this.pairedAt = this.home.pulse.now()
    this.#pace = new Pace(this.home.limits, this.pairedAt)
    this.home.streams(this)
    this.#stopWaiting(sender)
    for (const seat of this.receivers) seat.deadline?.cancel()
    let { newDigest } = sender.terms
    for (const seat of this.receivers) newDigest ??= seat.terms.newDigest
    if (newDigest !== undefined) sender.fanOut.digestBy(newDigest())
    sender.source.tell('streaming', this)
    if (sender.fanOut.sourceEnded) this.#uploaded(sender)
    this.#patrolLater()
    this.#restrict(sender)
    this.home.observer?.onPaired(this)
    const lanes = this.receivers.map((seat) => seat.lane)
    if (Math.max(sender.fanOut.bytesIn, head.length ?? 0) > this.maxBytes) this.end('too_large')
    else sender.fanOut.start(lanes, head, this, this.#throttles)
  }

  /** The whole body has been read. */
  #uploaded({ fanOut, source }: SenderSeat): void {
    this.sha256 = fanOut.digest?.hex()
    source.tell('uploaded', this)
  }

  /** What any side was given holds for the whole transfer. */
  #restrict(sender: SenderSeat): void {
    this.#takeLimits(sender.terms.limits)
    for (const seat of this.receivers) this.#takeLimits(seat.terms.limits)
    if (this.#totalMs < Number.POSITIVE_INFINITY) {
      this.#total = this.home.pulse.expect(this.#totalMs, () => this.end('too_long'))
    }
  }

  #takeLimits(limits: SideLimits | undefined): void {
    if (limits === undefined) return
    this.maxBytes = Math.min(this.maxBytes, limits.maxBytes ?? this.maxBytes)
    this.#totalMs = Math.min(this.#totalMs, limits.totalMs ?? this.#totalMs)
    for (const each of limits.throttles ?? []) if (!this.#throttles.includes(each)) this.#throttles.push(each)
  }

  /** Ends what runs by time while a sender waits. */
  #stopWaiting(seat: SenderSeat): void {
    seat.deadline?.cancel()
    this.#reminder?.cancel()
  }

  #remind(seat: SenderSeat): void {
    this.#reminder = this.home.pulse.expect(this.home.limits.reminderMs, () => {
      this.#remind(seat)
      seat.source.tell('still_waiting', this)
    })
  }

  /** A waiting sender goes; the receivers stay for the next one. */
  #dropSender(seat: SenderSeat): void {
    this.#stopWaiting(seat)
    this.sender = undefined
    seat.fanOut.discard()
    this.home.observer?.onLeft(this, 'sender')
  }

  #dropReceiver(seat: ReceiverSeat): void {
    seat.deadline?.cancel()
    this.receivers.splice(this.receivers.indexOf(seat), 1)
    seat.lane.present = false
    this.sender?.source.tell('receiver_left', this)
    this.home.observer?.onLeft(this, 'receiver')
  }

  /** Ends the transfer of this sender; receivers that only wait are left in peace. */
  senderFails(seat: SenderSeat, reason: EndReason): void {
    if (this.state === 'waiting' && this.receivers.length > 0) {
      this.#dropSender(seat)
      seat.source.end(reason, this)
    } else {
      this.end(reason)
    }
  }

  /** What a side that gives up has waited for. */
  get #missing(): EndReason {
    if (!this.hasSender) return 'no_sender'
    return this.receivers.length < this.receiversWanted ? 'no_receivers' : 'empty_form'
  }

  #receiverExpired(seat: ReceiverSeat): void {
    const reason = this.#missing
    if (!this.hasSender && this.receivers.length === 1) {
      this.end(reason)
      return
    }
    this.#dropReceiver(seat)
    seat.lane.sink.abort(reason, this)
  }

  /** A receiver is gone for good, by itself or because it was cut. */
  #receiverGone(seat: ReceiverSeat, reasonIfLast: EndReason): void {
    if (this.state === 'waiting') {
      this.#dropReceiver(seat)
      if (this.receivers.length === 0 && !this.hasSender) this.end('abandoned')
      return
    }
    if (this.state === 'ended') return
    const sender = this.sender!
    if (!sender.fanOut.leave(seat.lane)) {
      this.end(reasonIfLast)
      return
    }
    sender.source.tell('receiver_left', this)
    this.home.observer?.onLeft(this, 'receiver')
    sender.fanOut.settle()
  }

  /** Read after calls that may have ended the pipe. */
  get isStreaming(): boolean {
    return this.state === 'streaming'
  }

  #patrolLater(): void {
    this.#patrol = this.home.pulse.expect(PATROL_MS, () => {
      this.#lookAtLimits()
      if (this.isStreaming) this.#patrolLater()
    })
  }

  #lookAtLimits(): void {
    const { fanOut, terms } = this.sender!
    const now = this.home.pulse.now()
    if (terms.stallMs > 0) this.#cutStalled(fanOut, now, terms.stallMs)
    const fault = this.#pace!.fault(fanOut, now)
    if (fault !== undefined) this.end(fault)
  }

  #cutStalled(fanOut: FanOut, now: number, stallMs: number): void {
    for (;;) {
      const lane = this.isStreaming ? fanOut.stalled(now, stallMs) : undefined
      if (lane === undefined) return
      lane.sink.abort('receivers_stalled', this)
      this.#receiverGone(this.receivers.find((seat) => seat.lane === lane)!, 'receivers_stalled')
    }
  }
}
