/** The messages of a topic in one format, as one text of which every subscriber has a part: its front, from where it came on. */
import type { SpecTimers } from './spec-timers.js'

/** How a message looks, and what comes first, last, and when nothing is said. */
export interface SpecFormat {
  readonly opening: string
  readonly closing: string
  readonly silence: string
  encode(text: string, id: number): string
}

export class SpecSubscriber {
  /** Where in the stream's text it begins, and how far it is. */
  from = 0
  at = 0
  /** Of the opening it has so much. */
  opened = 0
  full = false
  /** It has been served, and its own machine did not take all of it. */
  blocked = false
  finishCalled = false
  finished = false
  isGone = false
  /** What it had when it was looked at last that anything had moved, and when that was. */
  seenAt = 0
  stillSince: number | undefined
  readonly log: string[] = ['begin']

  constructor(
    readonly stream: SpecStream,
    public room: number,
    readonly finishesAtOnce: boolean,
  ) {}

  /** All that it has taken. */
  get text(): string {
    const { opening } = this.stream.format
    return opening.slice(0, this.opened) + this.stream.text.slice(this.from, this.at)
  }

  get behind(): number {
    return this.stream.text.length - this.at
  }

  get isOpened(): boolean {
    return this.opened === this.stream.format.opening.length
  }

  /** Takes what it has room for: its opening, then the text. */
  advance(): void {
    const { opening } = this.stream.format
    if (!this.isOpened && !this.full) this.opened += this.#take(opening.length - this.opened)
    while (!this.full && this.behind > 0) this.at += this.#take(this.behind)
  }

  /** Is offered so much more. */
  offered(length: number): void {
    if (this.full) return
    const took = this.#take(length)
    this.at += took
    if (this.full) this.blocked = took > 0 && took < length
  }

  drain(room: number): void {
    this.room = room
    this.full = false
    this.advance()
    this.blocked = this.full
  }

  #take(length: number): number {
    const took = Math.min(length, this.room)
    this.room -= took
    this.full = this.room === 0
    return took
  }

  /** For how long nothing has moved although something waits for it. */
  stillFor(timers: SpecTimers): number {
    const isOwed = this.behind > 0 || !this.isOpened
    if (!isOwed || this.at !== this.seenAt || this.stillSince === undefined) {
      this.seenAt = this.at
      this.stillSince = timers.now
    }
    return timers.now - this.stillSince
  }
}

export class SpecStream {
  text = ''
  readonly subscribers = new Set<SpecSubscriber>()

  constructor(readonly format: SpecFormat) {}

  get behind(): number {
    return Math.max(0, ...[...this.subscribers].map(({ behind }) => behind))
  }

  add(subscriber: SpecSubscriber): void {
    subscriber.from = this.text.length
    subscriber.at = this.text.length
    this.subscribers.add(subscriber)
    subscriber.advance()
  }

  feed(text: string): void {
    this.text += text
    for (const subscriber of this.subscribers) subscriber.offered(text.length)
  }
}
