import type { Deadline } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, type Failure, Refusal } from '../failure.js'
import type { Sink } from '../ports.js'
import { Publication, type PublicationOwner } from '../topic/publication.js'
import { TopicCursor } from '../topic/topic-cursor.js'
import { TOPIC_FAILURES } from '../topic-failure.js'
import type { Publisher, PublishOptions, TopicEncoding, TopicMessage } from '../topic-options.js'
import { type SubscribedTopic, Subscriber } from './subscriber.js'
import type { TopicContext } from './topic-context.js'
import { TopicState } from './topic-state.js'

/** How often subscribers are looked at that may stand still. */
const CHECK_MS = 1000

/**
 * Many publish, and everybody who is subscribed gets every message, whole, and all in one order. A message goes to those who are there
 * when it is accepted; it is accepted when nobody is a window behind. Until then it waits, and with it all that come later.
 */
export class Topic extends TopicState implements SubscribedTopic, PublicationOwner {
  #lastSaidAt: number
  #nextCheck: Deadline | undefined
  #nextCut: Deadline | undefined
  #isClosing = false
  /** Calls that have not returned, in which it cannot be over. */
  #busy = 0
  /** Some are being cut: who waits for them is served when all of them have been. */
  #isCutting = false

  /** @param ended its name is free from then on */
  constructor(
    context: TopicContext,
    id: number,
    key: string,
    transferId: string,
    readonly ended: (topic: Topic) => void,
  ) {
    super(context, id, key, transferId)
    this.#lastSaidAt = this.openedAt
    this.#scheduleCheck()
  }

  subscribe(sink: Sink, encoding: TopicEncoding): Subscriber | Refusal {
    if (this.#isClosing) return new Refusal(CORE_FAILURES.shuttingDown)
    const { maxSubscribers: expected } = this.limits
    if (this.subscribers.size >= expected) return new Refusal(TOPIC_FAILURES.subscribersFull, { expected })
    const cursor = new TopicCursor(sink)
    const subscriber = new Subscriber(this, cursor, this.streams.of(encoding))
    this.subscribers.add(subscriber)
    this.peak = Math.max(this.peak, this.subscribers.size)
    const { observer } = this.context
    observer?.onJoined(this, 'receiver')
    if (this.pairedAt === undefined) {
      this.state = 'streaming'
      this.pairedAt = this.context.clock.now()
      observer?.onPaired(this)
    }
    subscriber.stream.add(cursor, this)
    for (const publication of this.room.came(this.subscribers.size)) this.#hold(publication)
    this.#serve()
    return subscriber
  }

  /** A publisher stays for more than one message, and keeps the name until it leaves. */
  stay(publisher: Publisher): void {
    this.staying.add(publisher)
    this.context.observer?.onJoined(this, 'sender')
  }

  /** It has gone. */
  leave(publisher: Publisher): void {
    if (!this.staying.delete(publisher)) return
    this.context.observer?.onLeft(this, 'sender')
    this.#endIfEmpty('abandoned')
  }

  /**
   * Returns how many subscribers have it; or what it has become while it waits, and then the publisher hears of it; or why nobody
   * gets it.
   */
  publish(message: TopicMessage, options: PublishOptions, publisher: Publisher): number | Publication | Refusal {
    if (this.#isClosing) return new Refusal(CORE_FAILURES.shuttingDown)
    this.#busy++
    const outcome = this.#accept(message, options, publisher)
    this.#busy--
    if (!(outcome instanceof Publication)) this.#endIfEmpty('abandoned')
    return outcome
  }

  #accept(message: TopicMessage, options: PublishOptions, publisher: Publisher): number | Publication | Refusal {
    const isEnough = this.subscribers.size >= options.min
    if (isEnough && this.#cuts(options) && !this.streams.hasRoom) {
      this.#cutBehind()
      this.#serve()
    }
    const { size } = this.subscribers
    if (options.onlyIfAwaited && size < Math.max(1, options.min)) return new Refusal(CORE_FAILURES.nobodyWaiting)
    const waits = size < options.min
    if (!waits && this.room.held.length === 0 && this.streams.hasRoom) return this.#deliver(message)
    const { slabs, clock } = this.context
    if (!slabs.hold(message.bytes.byteLength)) return new Refusal(CORE_FAILURES.noMemory)
    const publication = new Publication(message, options, publisher, this, slabs, clock)
    if (waits) this.room.await(publication)
    else this.#hold(publication)
    return publication
  }

  #hold(publication: Publication): void {
    const isUrgent = this.#cuts(publication.options)
    this.room.hold(publication, isUrgent)
    if (isUrgent) this.#cutLater()
  }

  /** By the next tick of the clock everybody has had a turn, but those who were postponed. */
  #cutLater(): void {
    this.#nextCut ??= this.context.clock.after(1, () => {
      this.#nextCut = undefined
      if (this.room.isUrgent && !this.streams.hasRoom) this.#cutBehind(true)
      this.#serve()
      if (this.room.isUrgent) this.#cutLater()
    })
  }

  expired(publication: Publication): void {
    const waitedFor = this.room.remove(publication)
    publication.over()
    if (waitedFor === 'room') publication.publisher.refused(new Refusal(TOPIC_FAILURES.heldTooLong))
    else publication.publisher.failed('no_receivers', this)
    this.#endIfEmpty('no_receivers')
  }

  withdrawn(publication: Publication): void {
    this.room.remove(publication)
    publication.over()
    this.#endIfEmpty('abandoned')
  }

  drained(subscriber: Subscriber): void {
    subscriber.stream.drained(subscriber.cursor)
    this.#settle(subscriber)
  }

  finished(subscriber: Subscriber): void {
    subscriber.cursor.finished = true
    this.#settle(subscriber)
  }

  left(subscriber: Subscriber): void {
    this.#gone(subscriber)
  }

  cutSubscriber(subscriber: Subscriber, reason: 'fault' | 'fell_behind' | 'receivers_stalled'): void {
    this.cuts++
    subscriber.cursor.sink.abort(reason, this)
    this.#gone(subscriber)
  }

  /** No message is taken any more, and everybody gets what has been accepted; then it ends. */
  close(): void {
    this.#isClosing = true
    this.#failPublishers('shutting_down')
    this.streams.close()
    for (const subscriber of [...this.subscribers]) this.#settle(subscriber)
    this.#endIfEmpty('shutting_down')
  }

  /** A caller outside the core ends it, and says why. */
  stop(failure: Failure): void {
    if (this.state === 'ended') return
    this.endFailure = failure
    this.end('stopped')
  }

  /** The one way out. Tells everybody, and frees the name and everything held. */
  end(reason: EndReason): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.endReason = reason
    this.endedAt = this.context.clock.now()
    this.#isClosing = true
    this.#nextCheck?.cancel()
    this.#nextCut?.cancel()
    this.ended(this)
    this.#failPublishers(reason)
    for (const { cursor } of this.subscribers) {
      cursor.present = false
      if (!cursor.finished) cursor.sink.abort(reason, this)
    }
    this.streams.discard()
    this.context.observer?.onEnded(this)
  }

  /** Everybody gets it, or, when there is no memory for that, nobody. */
  #deliver(message: TopicMessage): number | Refusal {
    if (!this.streams.deliver(message, this.messages + 1)) return new Refusal(CORE_FAILURES.noMemory)
    this.messages++
    this.bytesIn += message.bytes.byteLength
    this.#lastSaidAt = this.context.clock.now()
    return this.subscribers.size
  }

  /** Delivers what is held, as far as there is room. Those who have to be cut for it may be the last. */
  #serve(): void {
    this.#deliverHeld()
    if (this.subscribers.size === 0) this.#endIfEmpty('complete')
  }

  #deliverHeld(): void {
    while (this.room.held.length > 0 && !this.#isClosing) {
      if (this.room.isUrgent && !this.streams.hasRoom) this.#cutBehind()
      if (!this.streams.hasRoom || this.room.held.length === 0) return
      const publication = this.room.takeHeld()
      if (publication.options.min > this.subscribers.size) {
        this.room.await(publication)
        continue
      }
      publication.over()
      const outcome = this.#deliver(publication.message)
      if (typeof outcome === 'number') publication.publisher.delivered(outcome)
      else publication.publisher.refused(outcome)
    }
  }

  /**
   * Cuts who is a window behind, and has been served since: in a gateway nobody takes anything before the end of a turn, in which more
   * than a window can be published.
   */
  #cutBehind(isLater = false): void {
    this.#cut(this.streams.tooFarBehind(isLater), 'fell_behind')
  }

  #cuts({ slow = this.limits.slow }: PublishOptions): boolean {
    return slow === 'cut'
  }

  /** After a subscriber has moved: it may have been the one that held up the others, or be done. */
  #settle(subscriber: Subscriber): void {
    if (subscriber.cursor.finished) this.#gone(subscriber)
    else this.#serve()
  }

  #gone(subscriber: Subscriber): void {
    const { stream, cursor } = subscriber
    if (!this.subscribers.delete(subscriber)) return
    this.streams.leave(stream, cursor)
    this.context.observer?.onLeft(this, 'receiver')
    if (!this.#isCutting) this.#serve()
  }

  /** It is over with the last who is there. */
  #endIfEmpty(reason: EndReason): void {
    if (this.#busy > 0 || this.state === 'ended' || this.subscribers.size > 0 || this.hasSender) return
    if (this.#isClosing) this.end('shutting_down')
    else this.end(this.pairedAt === undefined ? reason : 'complete')
  }

  #failPublishers(reason: EndReason): void {
    const staying = [...this.staying]
    this.staying.clear()
    for (const publication of this.room.clear()) {
      publication.over()
      if (!staying.includes(publication.publisher)) publication.publisher.failed(reason, this)
    }
    for (const publisher of staying) publisher.failed(reason, this)
  }

  #scheduleCheck(): void {
    const { silenceMs, stallMs } = this.limits
    const { clock } = this.context
    // Once every silenceMs would be too seldom: a silence that begins just before such a look could last for almost two of them.
    const leftMs = this.#lastSaidAt + silenceMs - clock.now()
    const untilSilent = leftMs > 0 ? leftMs : silenceMs
    this.#nextCheck = clock.after(stallMs > 0 ? Math.min(CHECK_MS, untilSilent) : untilSilent, () => {
      this.#scheduleCheck()
      this.#check(this.context.clock.now())
    })
  }

  #check(now: number): void {
    const { silenceMs, stallMs } = this.limits
    const stalled = stallMs > 0 ? this.streams.stalled(now, stallMs) : []
    this.#cut(stalled, 'receivers_stalled')
    if (stalled.length > 0) this.#serve()
    if (now - this.#lastSaidAt < silenceMs || this.#isClosing) return
    this.#lastSaidAt = now
    this.streams.tellSilence()
  }

  /** The caller serves the others. It must not happen after each of them: one would be cut within the cut of the one before. */
  #cut(cursors: readonly TopicCursor[], reason: 'fell_behind' | 'receivers_stalled'): void {
    if (cursors.length === 0) return
    const behind = new Set(cursors)
    this.#isCutting = true
    for (const subscriber of this.subscribers) if (behind.has(subscriber.cursor)) this.cutSubscriber(subscriber, reason)
    this.#isCutting = false
  }
}
