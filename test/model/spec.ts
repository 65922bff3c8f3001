/**
 * A second, much simpler version of a pipe table, written from the contract: which sides are there, what each is told, and
 * why a pipe ends. It moves no bytes, only counts them, and knows no windows or slabs. The model compares the core with it
 * after every step.
 */
import type { EndReason, KindName, Limits } from '../../core/index.js'
import { missing, SpecPipe, type SpecReceiver, SpecSender } from './spec-pipe.js'
import { SpecTimers } from './spec-timers.js'
import { SpecWatchdog } from './spec-watchdog.js'

/** What a side asks for on a name. */
export interface Place {
  readonly kind: KindName
  /** Receivers that a stream waits for. */
  readonly n: number
  /** A receiver that takes a live stream too. */
  readonly orLive: boolean
}

export class Spec {
  readonly pipes = new Map<string, SpecPipe>()
  /** What the observer must have been told, one line for each call. */
  readonly events: string[] = []
  /** Live streams that have ended, and whose viewers still get the rest. */
  readonly resting = new Set<SpecPipe>()
  closed = false
  readonly #timers = new SpecTimers()
  readonly #watchdog: SpecWatchdog

  constructor(readonly limits: Limits) {
    this.#watchdog = new SpecWatchdog(limits, this.#timers, {
      end: (pipe, reason) => this.#end(pipe, reason),
      goes: (receiver, reasonIfLast) => this.#goes(receiver, reasonIfLast),
    })
  }

  get waiting(): number {
    return [...this.pipes.values()].filter((pipe) => pipe.state === 'waiting').length
  }

  get streaming(): number {
    return this.pipes.size - this.waiting
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Viewers of all live streams. */
  get viewers(): number {
    const all = [...this.pipes.values(), ...this.resting].filter(({ kind }) => kind === 'live')
    return all.reduce((sum, { here }) => sum + here.length, 0)
  }

  /** Why this side is refused, or undefined: it may join. */
  refusal(key: string, { kind, n, orLive }: Place, joins: SpecSender | SpecReceiver, now: boolean): string | undefined {
    if (this.closed) return 'SHUTTING_DOWN'
    const pipe = this.pipes.get(key)
    const isSender = joins instanceof SpecSender
    const { live } = this.limits
    if (pipe === undefined) {
      if (this.waiting >= this.limits.maxWaiting) return 'TOO_MANY_WAITING'
      const names = [...this.pipes.values()].filter((each) => each.kind === 'live')
      if (kind === 'live' && names.length >= live.maxStreams) return 'TOO_MANY_LIVE'
    }
    if (!isSender && (pipe?.kind ?? kind) === 'live' && this.viewers >= live.maxAllViewers) return 'ALL_VIEWERS_FULL'
    const takesLive = !isSender && orLive && pipe?.kind === 'live' && pipe.state === 'streaming'
    if (pipe !== undefined && pipe.kind !== kind && !takesLive) return 'KIND_CLASH'
    if (pipe?.kind === 'live') {
      if (isSender && pipe.sender !== undefined) return 'LIVE_SENDER_EXISTS'
      if (!isSender && pipe.here.length >= live.maxViewers) return 'VIEWERS_FULL'
    } else {
      if (pipe?.state === 'streaming') return 'PIPE_BUSY'
      if (pipe !== undefined && pipe.n !== n) return 'N_MISMATCH'
    }
    if (isSender && pipe?.sender !== undefined) return 'SENDER_EXISTS'
    if (!isSender && pipe?.kind === 'pipe' && pipe.receivers.length >= n) return 'RECEIVERS_FULL'
    const awaits = isSender ? (pipe?.receivers.length ?? 0) > 0 : pipe?.sender !== undefined
    if (now && !awaits) return 'NOBODY_WAITING'
    if (isSender || pipe?.kind !== 'pipe') return undefined
    return pipe.sender !== undefined && joins.isBeyond(pipe.sender) ? 'RANGE_BEYOND_END' : undefined
  }

  joinSender(key: string, place: Place, sender: SpecSender, waitMs: number): void {
    const pipe = this.#open(key, place)
    if (pipe.kind === 'live') {
      pipe.n = place.n
      // Who came and went before the sender was never a viewer of it.
      pipe.peak = pipe.here.length
    }
    this.#refuseBeyond(pipe, sender)
    pipe.sender = sender
    sender.pipe = pipe
    sender.waitMs = waitMs
    sender.log.push('waiting')
    this.#timers.after(waitMs, sender, () => this.#senderFails(sender, missing(sender.pipe!)))
    this.#remind(sender)
    this.#startIfReady(pipe)
  }

  joinReceiver(key: string, place: Place, receiver: SpecReceiver, waitMs: number): void {
    const pipe = this.#open(key, place)
    const late = pipe.holdsForNobody ? pipe.heldFrom : (pipe.sender?.bytesIn ?? 0)
    pipe.receivers.push(receiver)
    pipe.peak = Math.max(pipe.peak, pipe.here.length)
    receiver.pipe = pipe
    if (pipe.state === 'streaming') {
      receiver.from = late
      receiver.log.push('begin')
      this.#take(receiver)
      this.#updateFlow(pipe)
      return
    }
    pipe.sender?.log.push('receiver_joined')
    this.#timers.after(waitMs, receiver, () => this.#receiverGivesUp(receiver))
    this.#startIfReady(pipe)
  }

  /** The head of a sender that joined without one. */
  open(sender: SpecSender, length: number | undefined): void {
    sender.opened = true
    sender.length = length
    if (sender.pipe === undefined) return
    this.#refuseBeyond(sender.pipe, sender)
    this.#startIfReady(sender.pipe)
  }

  feed(sender: SpecSender, length: number): void {
    const { pipe } = sender
    if (pipe === undefined) return
    if (sender.bytesIn + length > (sender.length ?? Number.POSITIVE_INFINITY)) {
      this.#senderFails(sender, 'wrong_length')
      return
    }
    if (sender.bytesIn + length > pipe.maxBytes) {
      this.#senderFails(sender, 'too_large')
      return
    }
    sender.bytesIn += length
    if (pipe.state === 'streaming') for (const receiver of pipe.here) if (!receiver.full) this.#take(receiver)
    if (pipe.state === 'streaming' && !pipe.isPaced) {
      for (const receiver of [...pipe.here].reverse())
        if (sender.bytesIn - receiver.at > sender.live.lagBytes) this.cutBehind(receiver)
    } else if (pipe.behind > this.limits.holdBytes) this.overflow(sender)
    this.#updateFlow(pipe)
  }

  /** A viewer is further behind than it may be. */
  cutBehind(receiver: SpecReceiver): void {
    receiver.log.push('abort fell_behind')
    this.#goes(receiver, 'fell_behind')
  }

  /** The bytes may not be kept: too many, or no memory is left for them. */
  overflow(sender: SpecSender): void {
    this.#senderFails(sender, 'overflow')
  }

  /** The transport found that the body is not framed as it should be. */
  bodyBreaks(sender: SpecSender, reason: EndReason): void {
    if (sender.pipe !== undefined) this.#senderFails(sender, reason)
  }

  endBody(sender: SpecSender): void {
    const { pipe } = sender
    if (pipe === undefined) return
    if (sender.length !== undefined && sender.length !== sender.bytesIn) {
      this.#senderFails(sender, 'wrong_length')
      return
    }
    sender.bodyDone = true
    if (pipe.state !== 'streaming') return
    sender.log.push('uploaded')
    for (const receiver of pipe.here) this.#finishIfDone(receiver)
    this.#completeIfDone(pipe)
    this.#restIfDone(pipe)
  }

  senderLeaves(sender: SpecSender): void {
    const { pipe } = sender
    if (pipe === undefined) return
    if (pipe.state === 'waiting') {
      this.#forget(sender)
      if (pipe.receivers.length === 0) this.#end(pipe, 'abandoned')
    } else if (!sender.bodyDone) {
      this.#end(pipe, 'sender_left')
    }
  }

  receiverLeaves(receiver: SpecReceiver): void {
    const { pipe } = receiver
    if (pipe === undefined || !receiver.present || receiver.finished) return
    if (pipe.resting) {
      receiver.present = false
      this.#completeIfDone(pipe)
    } else if (pipe.state === 'waiting') {
      this.#dismiss(receiver)
      if (pipe.receivers.length === 0 && pipe.sender === undefined) this.#end(pipe, 'abandoned')
    } else {
      this.#goes(receiver, 'receivers_left')
    }
  }

  /** The sink has room for this much more, and says so. */
  drain(receiver: SpecReceiver, room: number): void {
    receiver.room = room
    receiver.full = false
    const { pipe } = receiver
    if (!isFlowing(pipe) || !receiver.present || receiver.finished) return
    this.#take(receiver)
    this.#finishIfDone(receiver)
    this.#updateFlow(pipe)
    this.#completeIfDone(pipe)
  }

  handOn(receiver: SpecReceiver): void {
    const { pipe } = receiver
    if (!isFlowing(pipe) || !receiver.present) return
    receiver.finished = true
    this.#completeIfDone(pipe)
  }

  looked(key: string): void {
    const pipe = this.pipes.get(key)
    if (pipe?.state !== 'waiting' || pipe.sender === undefined) return
    pipe.looks++
    if (/^[1-9]0*$/.test(String(pipe.looks))) pipe.sender.log.push('looked')
  }

  /** Time passes. */
  advance(ms: number): void {
    this.#timers.advance(ms)
  }

  close(): void {
    this.closed = true
    for (const pipe of [...this.pipes.values()]) if (pipe.state === 'waiting') this.#end(pipe, 'shutting_down')
  }

  /** A caller ends it. Returns whether there was anything to end. */
  stop(key: string): boolean {
    const pipe = this.pipes.get(key)
    if (pipe !== undefined) this.#end(pipe, 'stopped')
    return pipe !== undefined
  }

  endAll(reason: EndReason): void {
    for (const pipe of [...this.pipes.values()]) this.#end(pipe, reason)
    for (const pipe of [...this.resting]) this.#restEnds(pipe, reason)
  }

  #open(key: string, { n, kind }: Place): SpecPipe {
    const found = this.pipes.get(key)
    if (found !== undefined) return found
    const pipe = new SpecPipe(key, n, kind)
    this.pipes.set(key, pipe)
    this.events.push(`waiting ${key}`)
    return pipe
  }

  #startIfReady(pipe: SpecPipe): void {
    const { sender } = pipe
    if (sender?.opened !== true || pipe.receivers.length < pipe.n) return
    if (this.streaming >= this.limits.maxActive) {
      this.#end(pipe, 'too_many_active')
      return
    }
    pipe.state = 'streaming'
    for (const side of [sender, ...pipe.receivers]) this.#timers.cancel(side)
    sender.log.push('streaming')
    if (sender.bodyDone) sender.log.push('uploaded')
    this.#watchdog.start(pipe)
    if (pipe.totalMs < Number.POSITIVE_INFINITY)
      this.#timers.after(pipe.totalMs, pipe, () => this.#end(pipe, 'too_long'))
    this.events.push(`paired ${pipe.key}`)
    if (sender.bytesIn > pipe.maxBytes || (sender.length ?? 0) > pipe.maxBytes) {
      this.#end(pipe, 'too_large')
      return
    }
    for (const receiver of pipe.receivers) {
      const { length } = sender
      const hasEnd = pipe.kind === 'pipe' && length !== undefined && receiver.last + 1 >= length
      receiver.from = hasEnd && receiver.offset < length ? receiver.offset : 0
      receiver.log.push('begin')
      this.#take(receiver)
      this.#finishIfDone(receiver)
    }
    this.#updateFlow(pipe)
    this.#completeIfDone(pipe)
    this.#restIfDone(pipe)
  }

  /** Takes what it has room for. */
  #take(receiver: SpecReceiver): void {
    const pipe = receiver.pipe!
    const waits = Math.max(0, pipe.sender!.bytesIn - receiver.at)
    const may = receiver.mayTake()
    const takes = Math.min(waits, receiver.room, may - receiver.taken)
    receiver.taken += takes
    receiver.room -= takes
    if (receiver.lags) receiver.inFlight += takes
    if (waits > 0) receiver.full = receiver.room === 0 || may < Number.POSITIVE_INFINITY
  }

  #finishIfDone(receiver: SpecReceiver): void {
    const { bodyDone, bytesIn } = receiver.pipe!.sender!
    if (!bodyDone || receiver.finishCalled || receiver.at < bytesIn) return
    receiver.finishCalled = true
    receiver.finished = receiver.finishesAtOnce
    receiver.log.push('finish')
  }

  #completeIfDone(pipe: SpecPipe): void {
    if (!isFlowing(pipe) || !pipe.sender!.bodyDone) return
    if (!pipe.here.every((receiver) => receiver.finished)) return
    if (pipe.resting) this.#restEnds(pipe, 'complete')
    else this.#end(pipe, 'complete')
  }

  /** A live stream has ended cleanly: its sender is done, its name is free, and its viewers get the rest. */
  #restIfDone(pipe: SpecPipe): void {
    if (pipe.kind !== 'live' || pipe.state !== 'streaming' || !pipe.sender!.bodyDone) return
    pipe.resting = true
    this.resting.add(pipe)
    this.#end(pipe, 'complete')
    this.#timers.after(this.limits.live.restMs, pipe, () => this.#restEnds(pipe, 'receivers_stalled'))
  }

  #restEnds(pipe: SpecPipe, reason: EndReason): void {
    this.#timers.cancel(pipe)
    this.resting.delete(pipe)
    pipe.resting = false
    this.#abort(pipe, reason)
  }

  /** What every receiver is told that has not got everything. */
  #abort({ receivers }: SpecPipe, reason: EndReason): void {
    for (const receiver of receivers) {
      if (receiver.present && !receiver.finished) receiver.log.push(`abort ${reason}`)
      receiver.pipe = undefined
    }
  }

  /**
   * A source starts paused and then flows while somebody has room, unless the slowest is a window behind or has not come
   * within half of one since. It is never touched once the body is done.
   */
  #updateFlow(pipe: SpecPipe): void {
    const { sender } = pipe
    if (pipe.state !== 'streaming' || sender === undefined || sender.bodyDone) return
    if (pipe.behind >= this.limits.windowBytes) pipe.overHighWater = true
    else if (pipe.behind <= this.limits.windowBytes / 2) pipe.overHighWater = false
    if (!pipe.isPaced) {
      // Viewers hold it only while it is the gateway that has not come round to them.
      sender.paused = pipe.here.some((receiver) => receiver.mayTake() < Number.POSITIVE_INFINITY)
      return
    }
    sender.paused = pipe.overHighWater || pipe.here.every((receiver) => receiver.full)
  }

  #senderFails(sender: SpecSender, reason: EndReason): void {
    const pipe = sender.pipe!
    if (pipe.state === 'waiting' && pipe.receivers.length > 0) {
      this.#forget(sender)
      sender.log.push(`end ${reason}`)
    } else {
      this.#end(pipe, reason)
    }
  }

  /** A waiting sender is no longer part of its pipe. */
  #forget(sender: SpecSender): void {
    this.#timers.cancel(sender)
    sender.pipe!.sender = undefined
    sender.pipe = undefined
  }

  /** Receivers that want nothing of what this sender has are told so, and go. */
  #refuseBeyond(pipe: SpecPipe, sender: SpecSender): void {
    if (pipe.kind === 'live') return
    for (const receiver of pipe.receivers.filter((each) => each.isBeyond(sender))) {
      this.#dismiss(receiver)
      receiver.log.push('refuse RANGE_BEYOND_END')
    }
  }

  /** A waiting receiver is no longer part of its pipe. */
  #dismiss(receiver: SpecReceiver): void {
    const pipe = receiver.pipe!
    this.#timers.cancel(receiver)
    pipe.receivers = pipe.receivers.filter((other) => other !== receiver)
    pipe.sender?.log.push('receiver_left')
    receiver.pipe = undefined
  }

  #receiverGivesUp(receiver: SpecReceiver): void {
    const pipe = receiver.pipe!
    const reason = missing(pipe)
    if (pipe.sender === undefined && pipe.receivers.length === 1) {
      this.#end(pipe, reason)
      return
    }
    this.#dismiss(receiver)
    receiver.log.push(`abort ${reason}`)
  }

  /** A receiver goes while the stream flows. */
  #goes(receiver: SpecReceiver, reasonIfLast: EndReason): void {
    const pipe = receiver.pipe!
    pipe.lastOut = pipe.bytesOut
    receiver.present = false
    if (pipe.kind === 'live') {
      pipe.goneTaken += receiver.taken
      if (reasonIfLast !== 'receivers_left') pipe.cuts++
      if (pipe.here.length === 0) pipe.heldFrom = pipe.sender!.bytesIn
      this.#updateFlow(pipe)
      return
    }
    if (pipe.here.length === 0) {
      this.#end(pipe, reasonIfLast)
      return
    }
    pipe.sender!.log.push('receiver_left')
    this.#updateFlow(pipe)
    this.#completeIfDone(pipe)
  }

  #end(pipe: SpecPipe, reason: EndReason): void {
    const { sender, receivers } = pipe
    this.events.push(`ended ${pipe.key} ${reason} ${sender?.bytesIn ?? 0} ${pipe.bytesOut}`)
    pipe.state = 'ended'
    this.pipes.delete(pipe.key)
    for (const owner of [pipe, ...receivers, ...(sender === undefined ? [] : [sender])]) this.#timers.cancel(owner)
    if (!pipe.resting) this.#abort(pipe, reason)
    sender?.log.push(`end ${reason}`)
    if (sender !== undefined) sender.pipe = undefined
  }

  #remind(sender: SpecSender): void {
    this.#timers.after(this.limits.reminderMs, sender, () => {
      this.#remind(sender)
      sender.log.push('still_waiting')
    })
  }
}

/** Bytes go to receivers: it streams, or the rest of it is on its way. */
function isFlowing(pipe: SpecPipe | undefined): pipe is SpecPipe {
  return pipe !== undefined && (pipe.state === 'streaming' || pipe.resting)
}
