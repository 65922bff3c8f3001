/**
 * What a queue has to do, told as simply as possible: two lists, and who has got which stream. It moves no bytes, only counts
 * them.
 */
import type { EndReason, Limits } from '../../core/index.js'
import { SpecTimers } from './spec-timers.js'

export class QueuedSender {
  fed = 0
  bodyDone = false
  /** All of it has been sent, and nobody is there who could be told anything. */
  gone = false
  receiver: QueuedReceiver | undefined
  /** Since when its receiver has had a chance to take a byte. */
  offeredAt = 0
  isOver = false
  /** The place in the order in which all came. */
  came = 0
  readonly log: string[] = []

  constructor(
    readonly waitMs: number,
    readonly takeMs: number,
  ) {}
}

export class QueuedReceiver {
  taken = 0
  inFlight = 0
  isHere = true
  finishCalled = false
  sender: QueuedSender | undefined
  isOver = false
  readonly log: string[] = []

  constructor(
    readonly lags: boolean,
    readonly finishesAtOnce: boolean,
  ) {}

  get hasArrived(): boolean {
    return this.taken > this.inFlight
  }
}

export class SpecQueue {
  /** Those who wait, the next one first. */
  readonly senders: QueuedSender[] = []
  readonly receivers: QueuedReceiver[] = []
  readonly running = new Set<QueuedSender>()
  isClosed = false
  #came = 0

  constructor(
    readonly limits: Pick<Limits, 'maxQueued' | 'maxWaiting' | 'maxActive'>,
    readonly timers = new SpecTimers(),
  ) {}

  /** Those who wait and count for the limit of all. */
  get waiting(): number {
    return this.senders.length + this.receivers.length
  }

  /** Nobody uses the name. */
  get isFree(): boolean {
    return this.waiting + this.running.size === 0
  }

  protected get mayWait(): boolean {
    return this.waiting < this.limits.maxWaiting
  }

  protected get mayStream(): boolean {
    return this.running.size < this.limits.maxActive
  }

  refusal(side: 'sender' | 'receiver', now: boolean): string | undefined {
    if (this.isClosed) return 'SHUTTING_DOWN'
    const isMatched = side === 'sender' ? this.receivers.some(({ isHere }) => isHere) : this.senders.length > 0
    const mine = side === 'sender' ? this.senders : this.receivers
    if (!this.isFree && !isMatched && mine.length >= this.limits.maxQueued) return 'QUEUE_FULL'
    if ((this.isFree || !isMatched) && !this.mayWait) return 'TOO_MANY_WAITING'
    return now && !isMatched ? 'NOBODY_WAITING' : undefined
  }

  joinSender(sender: QueuedSender): void {
    sender.log.push('waiting')
    sender.came = ++this.#came
    this.senders.push(sender)
    this.waits(sender)
    this.match()
  }

  joinReceiver(receiver: QueuedReceiver, waitMs: number): void {
    this.receivers.push(receiver)
    this.timers.after(waitMs, receiver, () => {
      this.out(receiver)
      receiver.log.push('abort no_sender')
    })
    this.match()
  }

  feed(sender: QueuedSender, bytes: number): void {
    sender.fed += bytes
    if (sender.receiver !== undefined) this.give(sender.receiver, bytes)
  }

  endBody(sender: QueuedSender): void {
    sender.bodyDone = true
    if (sender.receiver === undefined) return
    sender.log.push('uploaded')
    this.finish(sender)
  }

  handOn(receiver: QueuedReceiver): void {
    this.end(receiver.sender!, 'complete')
  }

  receiverLeaves(receiver: QueuedReceiver): void {
    const { sender } = receiver
    if (sender === undefined) this.out(receiver)
    else this.loses(sender, receiver, 'receivers_left')
  }

  senderLeaves(sender: QueuedSender): void {
    if (sender.receiver === undefined) {
      this.outSender(sender)
      sender.isOver = true
    } else if (sender.bodyDone) {
      sender.gone = true
    } else {
      this.end(sender, 'sender_left')
    }
  }

  advance(ms: number): void {
    this.timers.advance(ms)
  }

  close(): void {
    this.isClosed = true
    this.endWaiting('shutting_down')
  }

  endAll(reason: EndReason): void {
    this.isClosed = true
    for (const sender of [...this.running]) this.end(sender, reason)
    this.endWaiting(reason)
  }

  protected endWaiting(reason: EndReason): void {
    for (const receiver of [...this.receivers]) {
      this.out(receiver)
      receiver.log.push(`abort ${reason}`)
    }
    for (const sender of [...this.senders]) this.end(sender, reason)
  }

  protected waits(sender: QueuedSender): void {
    this.timers.after(sender.waitMs, sender, () => this.end(sender, 'no_receivers'))
  }

  protected match(): void {
    this.timers.cancel(this)
    for (;;) {
      const receiver = this.receivers.find(({ isHere }) => isHere)
      const sender = this.senders[0]
      if (receiver === undefined || sender === undefined) break
      this.outSender(sender)
      this.receivers.splice(this.receivers.indexOf(receiver), 1)
      this.timers.cancel(receiver)
      this.begins(sender, receiver)
    }
    if (this.senders.length > 0 && this.receivers.length > 0) this.timers.after(1, this, () => this.match())
  }

  protected begins(sender: QueuedSender, receiver: QueuedReceiver): void {
    sender.receiver = receiver
    receiver.sender = sender
    sender.log.push('receiver_joined')
    if (!this.mayStream) {
      this.end(sender, 'too_many_active')
      return
    }
    this.running.add(sender)
    sender.log.push('streaming')
    if (sender.bodyDone) sender.log.push('uploaded')
    sender.offeredAt = this.timers.now
    if (sender.takeMs > 0) this.#watch(sender)
    this.handedOver(sender)
    if (!this.running.has(sender)) return
    receiver.log.push('begin')
    this.give(receiver, sender.fed)
    if (sender.bodyDone) this.finish(sender)
  }

  protected isTaken(_sender: QueuedSender, receiver: QueuedReceiver): boolean {
    return receiver.hasArrived
  }

  protected handedOver(_sender: QueuedSender): void {}

  protected takenBack(_sender: QueuedSender): void {}

  /** Looks at every tick whether its receiver takes anything, until it does. */
  #watch(sender: QueuedSender): void {
    this.timers.after(1, sender, () => {
      const receiver = sender.receiver!
      if (this.isTaken(sender, receiver)) return
      if (sender.fed === 0) sender.offeredAt = this.timers.now
      if (this.timers.now - sender.offeredAt >= sender.takeMs) {
        receiver.log.push('abort receivers_stalled')
        this.loses(sender, receiver, 'receivers_stalled')
      } else {
        this.#watch(sender)
      }
    })
  }

  protected give(receiver: QueuedReceiver, bytes: number): void {
    receiver.taken += bytes
    if (receiver.lags) receiver.inFlight += bytes
  }

  protected finish(sender: QueuedSender): void {
    const receiver = sender.receiver!
    receiver.log.push('finish')
    receiver.finishCalled = true
    if (receiver.finishesAtOnce) this.end(sender, 'complete')
  }

  /** A receiver is gone. If nothing has arrived, its sender gets its old place. */
  protected loses(sender: QueuedSender, receiver: QueuedReceiver, reason: EndReason): void {
    receiver.isOver = true
    receiver.sender = undefined
    sender.receiver = undefined
    if (this.isTaken(sender, receiver) || sender.gone) {
      this.end(sender, reason)
      return
    }
    this.timers.cancel(sender)
    this.running.delete(sender)
    this.takenBack(sender)
    sender.log.push('given_back')
    if (this.isClosed) {
      this.end(sender, 'shutting_down')
      return
    }
    this.waits(sender)
    this.senders.push(sender)
    this.senders.sort((one, other) => one.came - other.came)
    this.match()
  }

  protected end(sender: QueuedSender, reason: EndReason): void {
    const { receiver } = sender
    if (receiver !== undefined) {
      const isWhole = reason === 'complete'
      if (!isWhole) receiver.log.push(`abort ${reason}`)
      receiver.isOver = true
      receiver.sender = undefined
    }
    sender.log.push(`end ${reason}`)
    this.outSender(sender)
    this.running.delete(sender)
    sender.receiver = undefined
    sender.isOver = true
  }

  protected out(receiver: QueuedReceiver): void {
    this.receivers.splice(this.receivers.indexOf(receiver), 1)
    this.timers.cancel(receiver)
    receiver.isOver = true
    if (this.receivers.length === 0) this.timers.cancel(this)
  }

  protected outSender(sender: QueuedSender): void {
    const at = this.senders.indexOf(sender)
    if (at >= 0) this.senders.splice(at, 1)
    this.timers.cancel(sender)
    if (this.senders.length === 0) this.timers.cancel(this)
  }
}
