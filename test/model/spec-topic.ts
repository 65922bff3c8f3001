/**
 * What a topic has to do, told as simply as possible: messages are accepted one after the other, and everybody who is there has all of
 * them in that order. It keeps texts instead of bytes, and compares lengths instead of counting slabs.
 */
import type { EndReason, Limits } from '../../core/index.js'
import type { SpecTimers } from './spec-timers.js'
import { type SpecFormat, SpecStream, SpecSubscriber } from './spec-topic-stream.js'

export class SpecPublisher {
  readonly log: string[] = []
}

/** A message that waits. */
export interface SpecMessage {
  readonly text: string
  readonly min: number
  readonly waitMs: number
  readonly now: boolean
  readonly slow: 'hold' | 'cut'
  readonly publisher: SpecPublisher
}

/** What a topic tells the world that holds it. */
interface TopicEvents {
  paired(): void
  /** Its name is free. */
  ended(reason: EndReason): void
}

export class SpecTopic {
  /** What waits for those who have not taken what came before, in order; and what waits for more subscribers. */
  held: SpecMessage[] = []
  awaiting: SpecMessage[] = []
  readonly subscribers = new Set<SpecSubscriber>()
  readonly staying = new Set<SpecPublisher>()
  readonly streams = new Map<SpecFormat, SpecStream>()
  messages = 0
  bytes = 0
  peak = 0
  cuts = 0
  isPaired = false
  isClosing = false
  isEnded = false
  #isBusy = false
  #cutsLater = false
  #saidAt: number

  constructor(
    readonly limits: Limits,
    readonly timers: SpecTimers,
    readonly events: TopicEvents,
  ) {
    this.#saidAt = timers.now
    this.#checkLater()
  }

  get waiting(): number {
    return this.held.length + this.awaiting.length
  }

  get hasPublisher(): boolean {
    return this.staying.size + this.waiting > 0
  }

  /** Nobody is a window behind. Who has everything gets a message of any length. */
  get hasRoom(): boolean {
    return [...this.streams.values()].every(({ behind }) => behind < this.limits.windowBytes)
  }

  subscribe(format: SpecFormat, room: number, finishesAtOnce: boolean): SpecSubscriber {
    const stream = this.streams.get(format) ?? new SpecStream(format)
    this.streams.set(format, stream)
    const subscriber = new SpecSubscriber(stream, room, finishesAtOnce)
    this.subscribers.add(subscriber)
    this.peak = Math.max(this.peak, this.subscribers.size)
    if (!this.isPaired) this.events.paired()
    this.isPaired = true
    stream.add(subscriber)
    const isAwaited = ({ min }: SpecMessage): boolean => min > this.subscribers.size
    for (const message of this.awaiting.filter((each) => !isAwaited(each))) this.#hold(message)
    this.awaiting = this.awaiting.filter(isAwaited)
    this.#serve()
    return subscriber
  }

  /** What its publisher reads at once; undefined while it waits. */
  publish(message: SpecMessage): string | undefined {
    this.#isBusy = true
    const outcome = this.#accept(message)
    this.#isBusy = false
    if (outcome !== undefined) this.#endIfEmpty('abandoned')
    return outcome
  }

  #accept(message: SpecMessage): string | undefined {
    const { min, now, slow } = message
    if (slow === 'cut' && this.subscribers.size >= min && !this.hasRoom) {
      this.#cutBehind((subscriber) => subscriber.blocked)
      this.#serve()
    }
    const { size } = this.subscribers
    if (now && size < Math.max(1, min)) return 'refused NOBODY_WAITING'
    if (size >= min && this.held.length === 0 && this.hasRoom) return `delivered ${this.#deliver(message)}`
    this.timers.after(message.waitMs, message, () => this.#expired(message))
    if (size < min) this.awaiting.push(message)
    else this.#hold(message)
    return undefined
  }

  get #isUrgent(): boolean {
    return this.held.some(({ slow }) => slow === 'cut')
  }

  #hold(message: SpecMessage): void {
    this.held.push(message)
    if (message.slow === 'cut') this.#cutLater()
  }

  /** At the next tick everybody has been served, and who is a window behind then is cut. */
  #cutLater(): void {
    if (this.#cutsLater) return
    this.#cutsLater = true
    this.timers.after(1, this, () => {
      this.#cutsLater = false
      if (!this.#isUrgent) return
      if (!this.hasRoom) this.#cutBehind(() => true)
      this.#serve()
      if (this.#isUrgent) this.#cutLater()
    })
  }

  withdraw(message: SpecMessage): void {
    if (this.#remove(message)) this.#endIfEmpty('abandoned')
  }

  #expired(message: SpecMessage): void {
    const isHeld = this.held.includes(message)
    this.#remove(message)
    message.publisher.log.push(isHeld ? 'refused HELD_TOO_LONG' : 'failed no_receivers')
    this.#endIfEmpty('no_receivers')
  }

  #remove(message: SpecMessage): boolean {
    const { waiting } = this
    this.timers.cancel(message)
    this.held = this.held.filter((each) => each !== message)
    this.awaiting = this.awaiting.filter((each) => each !== message)
    return this.waiting < waiting
  }

  stay(publisher: SpecPublisher): void {
    this.staying.add(publisher)
  }

  leave(publisher: SpecPublisher): void {
    if (this.staying.delete(publisher)) this.#endIfEmpty('abandoned')
  }

  /** Returns how many have it. */
  #deliver({ text }: SpecMessage): number {
    this.messages++
    this.bytes += text.length
    this.#saidAt = this.timers.now
    for (const stream of this.streams.values()) stream.feed(stream.format.encode(text, this.messages))
    return this.subscribers.size
  }

  #serve(): void {
    while (this.held.length > 0 && !this.isClosing) {
      if (this.#isUrgent && !this.hasRoom) this.#cutBehind((subscriber) => subscriber.blocked)
      const message = this.held[0]
      if (!this.hasRoom || message === undefined) return
      this.held = this.held.slice(1)
      if (message.min > this.subscribers.size) {
        this.awaiting.push(message)
        continue
      }
      this.timers.cancel(message)
      message.publisher.log.push(`delivered ${this.#deliver(message)}`)
    }
  }

  drain(subscriber: SpecSubscriber, room: number): void {
    subscriber.drain(room)
    if (this.isClosing) this.#finishIfDone(subscriber)
    else this.#serve()
  }

  handOn(subscriber: SpecSubscriber): void {
    subscriber.finished = true
    this.#gone(subscriber)
  }

  left(subscriber: SpecSubscriber): void {
    this.#gone(subscriber)
  }

  cut(subscriber: SpecSubscriber, reason: EndReason): void {
    if (!subscriber.isGone) this.#cutAll([subscriber], reason)
  }

  /** Nobody is served before all of them have gone. */
  #cutAll(subscribers: readonly SpecSubscriber[], reason: EndReason): void {
    this.cuts += subscribers.length
    for (const subscriber of subscribers) {
      subscriber.log.push(`abort ${reason}`)
      this.#forget(subscriber)
    }
    if (subscribers.length > 0) this.#serve()
    this.#endIfEmpty('complete')
  }

  #cutBehind(isServed: (subscriber: SpecSubscriber) => boolean): void {
    const behind = [...this.subscribers].filter((each) => each.behind >= this.limits.windowBytes && isServed(each))
    this.#cutAll(behind, 'fell_behind')
  }

  #gone(subscriber: SpecSubscriber): void {
    this.#forget(subscriber)
    this.#serve()
    this.#endIfEmpty('complete')
  }

  #forget(subscriber: SpecSubscriber): void {
    subscriber.isGone = true
    this.subscribers.delete(subscriber)
    const { stream } = subscriber
    stream.subscribers.delete(subscriber)
    if (stream.subscribers.size === 0) this.streams.delete(stream.format)
  }

  /** Once a while: who stands still is cut, and silence is told to those who can hear it. */
  #checkLater(): void {
    const { stallMs, silenceMs } = this.limits.topic
    const leftMs = this.#saidAt + silenceMs - this.timers.now
    const nextMs = leftMs > 0 ? leftMs : silenceMs
    this.timers.after(stallMs > 0 ? Math.min(1000, nextMs) : nextMs, this, () => {
      this.#checkLater()
      const stalled = [...this.subscribers].filter((each) => stallMs > 0 && each.stillFor(this.timers) >= stallMs)
      this.#cutAll(stalled, 'receivers_stalled')
      if (this.timers.now - this.#saidAt < silenceMs || this.isClosing) return
      this.#saidAt = this.timers.now
      for (const stream of this.streams.values())
        if (stream.format.silence !== '' && stream.behind === 0) stream.feed(stream.format.silence)
    })
  }

  close(): void {
    this.isClosing = true
    this.#failPublishers('shutting_down')
    for (const stream of this.streams.values()) if (stream.format.closing !== '') stream.feed(stream.format.closing)
    for (const subscriber of [...this.subscribers]) this.#finishIfDone(subscriber)
    this.#endIfEmpty('shutting_down')
  }

  #finishIfDone(subscriber: SpecSubscriber): void {
    if (subscriber.finishCalled || subscriber.behind > 0 || !subscriber.isOpened) return
    subscriber.finishCalled = true
    subscriber.log.push('finish')
    if (subscriber.finishesAtOnce) this.handOn(subscriber)
  }

  #endIfEmpty(reason: EndReason): void {
    if (this.#isBusy || this.subscribers.size > 0 || this.hasPublisher) return
    if (this.isClosing) this.end('shutting_down')
    else this.end(this.isPaired ? 'complete' : reason)
  }

  end(reason: EndReason): void {
    if (this.isEnded) return
    this.isEnded = true
    this.isClosing = true
    this.timers.cancel(this)
    this.#failPublishers(reason)
    for (const subscriber of this.subscribers) {
      if (!subscriber.finished) subscriber.log.push(`abort ${reason}`)
      subscriber.isGone = true
    }
    this.subscribers.clear()
    this.events.ended(reason)
  }

  #failPublishers(reason: EndReason): void {
    const publishers = new Set([...this.staying, ...[...this.held, ...this.awaiting].map(({ publisher }) => publisher)])
    for (const message of [...this.held, ...this.awaiting]) this.timers.cancel(message)
    this.held = []
    this.awaiting = []
    this.staying.clear()
    for (const publisher of publishers) publisher.log.push(`failed ${reason}`)
  }
}
