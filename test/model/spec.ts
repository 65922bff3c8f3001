/**
 * A second, much simpler telling of what a pipe table does, written from the contract: who is there, who is told what,
 * and why it ends. It moves no bytes, only counts them; it knows no windows or slabs. The model compares the core with it
 * after every step.
 */
import type { EndReason, Limits, SideLimits } from '../../core/index.js'

export class SpecSender {
  bytesIn = 0
  /** The whole body has been read. */
  bodyDone = false
  /** What the source must have been told, without pause and resume. */
  readonly log: string[] = []
  /** A source starts paused. */
  paused = true
  pipe: SpecPipe | undefined

  constructor(
    readonly id: string,
    public length: number | undefined,
    readonly expectedBytes: number | undefined,
    readonly stallMs: number,
    readonly limits: SideLimits,
    /** It has said what it has to say of its stream. */
    public opened = true,
  ) {}
}

export class SpecReceiver {
  taken = 0
  /** Taken, and on its way. */
  inFlight = 0
  full = false
  present = true
  finishCalled = false
  finished = false
  /** What the sink must have been told, without the bytes. */
  readonly log: string[] = []
  /** Since when it has not moved although it should, as far as the looks at the limits know. */
  stillSince: number | undefined
  deliveredAtLook = 0
  pipe: SpecPipe | undefined

  constructor(
    public room: number,
    readonly finishesAtOnce: boolean,
    readonly lags: boolean,
    readonly limits: SideLimits,
  ) {}

  get delivered(): number {
    return this.taken - this.inFlight
  }
}

export class SpecPipe {
  state: 'waiting' | 'streaming' | 'ended' = 'waiting'
  sender: SpecSender | undefined
  receivers: SpecReceiver[] = []
  /** What everybody had at the last look at the limits that saw a change. */
  seen = ''
  movedAt = 0
  /** The slowest was a window behind, and has not come within half of one since. */
  crowded = false
  /** When the period of the rate limit began, and what the slowest had taken then. */
  periodAt = 0
  periodOut = 0
  /** What the slowest had taken when the last receiver left. */
  lastOut = 0

  constructor(
    readonly key: string,
    readonly n: number,
  ) {}

  get here(): SpecReceiver[] {
    return this.receivers.filter((receiver) => receiver.present)
  }

  /** The most bytes it may have: a stream must fit all its sides, a sender that waits only its own limit. */
  get maxBytes(): number {
    return strictest(this.#sides.map(({ limits }) => limits.maxBytes))
  }

  get totalMs(): number {
    return strictest(this.#sides.map(({ limits }) => limits.totalMs))
  }

  get #sides(): readonly { readonly limits: SideLimits }[] {
    const sender = this.sender === undefined ? [] : [this.sender]
    return this.state === 'waiting' ? sender : [...sender, ...this.receivers]
  }

  get bytesOut(): number {
    if (this.sender === undefined || this.state === 'waiting' || this.here.length === 0) return this.lastOut
    return Math.min(...this.here.map((receiver) => receiver.taken))
  }

  /** Bytes that were read and that somebody still has to take. */
  get behind(): number {
    return this.sender === undefined ? 0 : this.sender.bytesIn - this.bytesOut
  }
}

function strictest(values: readonly (number | undefined)[]): number {
  return Math.min(Number.POSITIVE_INFINITY, ...values.filter((value) => value !== undefined))
}

/** What somebody who gives up has waited for. */
function missing({ sender, receivers, n }: SpecPipe): EndReason {
  if (sender === undefined) return 'no_sender'
  return receivers.length === n ? 'empty_form' : 'no_receivers'
}

interface Timer {
  readonly due: number
  readonly owner: object
  readonly run: () => void
}

export class Spec {
  readonly pipes = new Map<string, SpecPipe>()
  /** What the observer must have been told, one line a call. */
  readonly events: string[] = []
  now = 0
  closed = false
  #timers: Timer[] = []

  constructor(readonly limits: Limits) {}

  get waiting(): number {
    return [...this.pipes.values()].filter((pipe) => pipe.state === 'waiting').length
  }

  get streaming(): number {
    return this.pipes.size - this.waiting
  }

  get timers(): number {
    return this.#timers.length
  }

  /** Why this side is refused, or undefined: it may join. */
  refusal(key: string, n: number, side: 'sender' | 'receiver'): string | undefined {
    if (this.closed) return 'SHUTTING_DOWN'
    const pipe = this.pipes.get(key)
    if (pipe === undefined) return this.waiting >= this.limits.maxWaiting ? 'TOO_MANY_WAITING' : undefined
    if (pipe.state === 'streaming') return 'PIPE_BUSY'
    if (pipe.n !== n) return 'N_MISMATCH'
    if (side === 'sender') return pipe.sender === undefined ? undefined : 'SENDER_EXISTS'
    return pipe.receivers.length < n ? undefined : 'RECEIVERS_FULL'
  }

  joinSender(key: string, n: number, sender: SpecSender, waitMs: number): void {
    const pipe = this.#open(key, n)
    pipe.sender = sender
    sender.pipe = pipe
    sender.log.push('waiting')
    this.#after(waitMs, sender, () => this.#senderFails(sender, missing(sender.pipe!)))
    this.#remind(sender)
    this.#startIfReady(pipe)
  }

  joinReceiver(key: string, n: number, receiver: SpecReceiver, waitMs: number): void {
    const pipe = this.#open(key, n)
    pipe.receivers.push(receiver)
    receiver.pipe = pipe
    pipe.sender?.log.push('receiver_joined')
    this.#after(waitMs, receiver, () => this.#receiverGivesUp(receiver))
    this.#startIfReady(pipe)
  }

  /** The head of a sender that joined without one. */
  open(sender: SpecSender, length: number | undefined): void {
    sender.opened = true
    sender.length = length
    if (sender.pipe !== undefined) this.#startIfReady(sender.pipe)
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
    if (pipe.behind > this.limits.holdBytes) this.overflow(sender)
    this.#pace(pipe)
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
    if (pipe.state === 'waiting') {
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
    if (pipe?.state !== 'streaming' || !receiver.present || receiver.finished) return
    this.#take(receiver)
    this.#finishIfDone(receiver)
    this.#pace(pipe)
    this.#completeIfDone(pipe)
  }

  handOn(receiver: SpecReceiver): void {
    const { pipe } = receiver
    if (pipe?.state !== 'streaming' || !receiver.present) return
    receiver.finished = true
    this.#completeIfDone(pipe)
  }

  /** Time passes; everything that is due happens, oldest promise first. */
  turn(ms: number): void {
    this.now += ms
    for (;;) {
      const i = this.#timers.findIndex((timer) => timer.due <= this.now)
      if (i === -1) return
      const [timer] = this.#timers.splice(i, 1)
      timer!.run()
    }
  }

  close(): void {
    this.closed = true
    for (const pipe of [...this.pipes.values()]) if (pipe.state === 'waiting') this.#end(pipe, 'shutting_down')
  }

  /** Somebody ends it. Returns whether there was anything to end. */
  stop(key: string): boolean {
    const pipe = this.pipes.get(key)
    if (pipe !== undefined) this.#end(pipe, 'stopped')
    return pipe !== undefined
  }

  endAll(reason: EndReason): void {
    for (const pipe of [...this.pipes.values()]) this.#end(pipe, reason)
  }

  #open(key: string, n: number): SpecPipe {
    const found = this.pipes.get(key)
    if (found !== undefined) return found
    const pipe = new SpecPipe(key, n)
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
    pipe.movedAt = this.now
    pipe.seen = JSON.stringify([0, ...pipe.receivers.map(() => [0, false])])
    pipe.periodAt = this.now
    for (const side of [sender, ...pipe.receivers]) this.#cancel(side)
    sender.log.push('streaming')
    if (sender.bodyDone) sender.log.push('uploaded')
    this.#lookLater(pipe)
    if (pipe.totalMs < Number.POSITIVE_INFINITY) this.#after(pipe.totalMs, pipe, () => this.#end(pipe, 'too_long'))
    this.events.push(`paired ${pipe.key}`)
    if (sender.bytesIn > pipe.maxBytes || (sender.length ?? 0) > pipe.maxBytes) {
      this.#end(pipe, 'too_large')
      return
    }
    for (const receiver of pipe.receivers) {
      receiver.log.push('begin')
      this.#take(receiver)
      this.#finishIfDone(receiver)
    }
    this.#pace(pipe)
    this.#completeIfDone(pipe)
  }

  /** Takes what it has room for. */
  #take(receiver: SpecReceiver): void {
    const pipe = receiver.pipe!
    const waits = pipe.sender!.bytesIn - receiver.taken
    const takes = Math.min(waits, receiver.room)
    receiver.taken += takes
    receiver.room -= takes
    if (receiver.lags) receiver.inFlight += takes
    if (waits > 0) receiver.full = receiver.room === 0
  }

  #finishIfDone(receiver: SpecReceiver): void {
    const { bodyDone, bytesIn } = receiver.pipe!.sender!
    if (!bodyDone || receiver.finishCalled || receiver.taken < bytesIn) return
    receiver.finishCalled = true
    receiver.finished = receiver.finishesAtOnce
    receiver.log.push('finish')
  }

  #completeIfDone(pipe: SpecPipe): void {
    if (pipe.state !== 'streaming' || !pipe.sender!.bodyDone) return
    if (pipe.here.every((receiver) => receiver.finished)) this.#end(pipe, 'complete')
  }

  /**
   * A source starts paused and then flows while somebody has room, unless the slowest is a window behind or has not come
   * within half of one since. It is never touched once the body is done.
   */
  #pace(pipe: SpecPipe): void {
    const { sender } = pipe
    if (pipe.state !== 'streaming' || sender === undefined || sender.bodyDone) return
    if (pipe.behind >= this.limits.windowBytes) pipe.crowded = true
    else if (pipe.behind <= this.limits.windowBytes / 2) pipe.crowded = false
    sender.paused = pipe.crowded || pipe.here.every((receiver) => receiver.full)
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
    this.#cancel(sender)
    sender.pipe!.sender = undefined
    sender.pipe = undefined
  }

  /** A waiting receiver is no longer part of its pipe. */
  #dismiss(receiver: SpecReceiver): void {
    const pipe = receiver.pipe!
    this.#cancel(receiver)
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
    if (pipe.here.length === 0) {
      this.#end(pipe, reasonIfLast)
      return
    }
    pipe.sender!.log.push('receiver_left')
    this.#pace(pipe)
    this.#completeIfDone(pipe)
  }

  #end(pipe: SpecPipe, reason: EndReason): void {
    const { sender, receivers } = pipe
    this.events.push(`ended ${pipe.key} ${reason} ${sender?.bytesIn ?? 0} ${pipe.bytesOut}`)
    pipe.state = 'ended'
    this.pipes.delete(pipe.key)
    for (const owner of [pipe, ...receivers, ...(sender === undefined ? [] : [sender])]) this.#cancel(owner)
    for (const receiver of receivers) {
      if (receiver.present && !receiver.finished) receiver.log.push(`abort ${reason}`)
      receiver.pipe = undefined
    }
    sender?.log.push(`end ${reason}`)
    if (sender !== undefined) sender.pipe = undefined
  }

  #remind(sender: SpecSender): void {
    this.#after(this.limits.reminderMs, sender, () => {
      this.#remind(sender)
      sender.log.push('still_waiting')
    })
  }

  /** A pipe that streams looks at its limits once a second. */
  #lookLater(pipe: SpecPipe): void {
    this.#after(1000, pipe, () => {
      this.#look(pipe)
      if (pipe.state === 'streaming') this.#lookLater(pipe)
    })
  }

  #look(pipe: SpecPipe): void {
    const { stallMs } = pipe.sender!
    if (stallMs > 0) for (const receiver of pipe.here) this.#cutIfStalled(receiver, stallMs)
    const { seen } = pipe
    pipe.seen = JSON.stringify([
      pipe.sender!.bytesIn,
      ...pipe.receivers.map(({ present, delivered, finished }) => (present ? [delivered, finished] : 'gone')),
    ])
    if (pipe.seen !== seen) pipe.movedAt = this.now
    const { idleMs } = this.limits
    if (pipe.state === 'streaming' && idleMs > 0 && this.now - pipe.movedAt >= idleMs) this.#end(pipe, 'idle')
    if (pipe.state === 'streaming') this.#endIfSlow(pipe)
  }

  #endIfSlow(pipe: SpecPipe): void {
    const seconds = (this.now - pipe.periodAt) / 1000
    if (seconds * 1000 < this.limits.ratePeriodMs) return
    const delivered = Math.min(...pipe.here.map((receiver) => receiver.delivered))
    const rate = (delivered - pipe.periodOut) / seconds
    pipe.periodAt = this.now
    pipe.periodOut = delivered
    if (rate < this.limits.minRate) this.#end(pipe, 'too_slow')
  }

  #cutIfStalled(receiver: SpecReceiver, stallMs: number): void {
    const sender = receiver.pipe?.sender
    if (sender === undefined || receiver.finished) return
    const idle = receiver.taken === sender.bytesIn && !sender.bodyDone
    if (idle || receiver.delivered !== receiver.deliveredAtLook || receiver.stillSince === undefined) {
      receiver.stillSince = this.now
      receiver.deliveredAtLook = receiver.delivered
    }
    if (this.now - receiver.stillSince < stallMs) return
    receiver.log.push('abort receivers_stalled')
    this.#goes(receiver, 'receivers_stalled')
  }

  #after(ms: number, owner: object, run: () => void): void {
    this.#timers.push({ due: this.now + ms, owner, run })
  }

  #cancel(owner: object): void {
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner)
  }
}
