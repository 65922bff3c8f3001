import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, Refusal } from '../failure.js'
import type { PipeView } from '../pipe-view.js'
import type { Sink } from '../ports.js'
import type { Publication } from '../topic/publication.js'
import { TOPIC_FAILURES } from '../topic-failure.js'
import type { Publisher, PublishOptions, TopicEncoding, TopicMessage } from '../topic-options.js'
import { refuseKind } from './kind-clash.js'
import type { Subscriber } from './subscriber.js'
import { Topic } from './topic.js'
import type { TopicContext } from './topic-context.js'

const TOPIC = { kind: 'topic' } as const

/** What a side asks for that may be the first on a name. */
export interface TopicJoinOptions {
  /** It joins only if somebody of the other side waits already. */
  readonly onlyIfAwaited?: boolean | undefined
  /** Names the topic to people and programs, if it is new. */
  readonly newTransferId: () => string
}

/** All topics by name. A message that nobody waits for, and that waits for nobody, leaves no trace. */
export class Topics {
  readonly #topics = new Map<string, Topic>()

  constructor(readonly context: TopicContext) {}

  get size(): number {
    return this.#topics.size
  }

  get(key: string): Topic | undefined {
    return this.#topics.get(key)
  }

  all(): Iterable<PipeView> {
    return this.#topics.values()
  }

  /** Somebody wants to hear all that is published from now on. A refusal disturbs nobody. */
  subscribe(key: string, sink: Sink, encoding: TopicEncoding, options: TopicJoinOptions): Subscriber | Refusal {
    const found = this.#topics.get(key)
    const refusal = this.#refuse(key, found)
    if (refusal !== undefined) return refusal
    if (options.onlyIfAwaited && found?.hasSender !== true) return new Refusal(CORE_FAILURES.nobodyWaiting)
    return orEnd(found ?? this.#open(key, options), (topic) => topic.subscribe(sink, encoding))
  }

  /**
   * Returns how many subscribers have the message; or what it has become while it waits, and then the publisher hears of it; or
   * why nobody gets it.
   */
  publish(
    key: string,
    message: TopicMessage,
    options: PublishOptions & TopicJoinOptions,
    publisher: Publisher,
  ): number | Publication | Refusal {
    const found = this.#topics.get(key)
    if (found === undefined) {
      const refusal = this.refusePublisher(key, options)
      if (refusal !== undefined) return refusal
      if (options.min === 0) return 0
    }
    return orEnd(found ?? this.#open(key, options), (topic) => topic.publish(message, options, publisher))
  }

  /** Why somebody cannot publish now; undefined when they can. */
  refusePublisher(key: string, { onlyIfAwaited }: Pick<TopicJoinOptions, 'onlyIfAwaited'>): Refusal | undefined {
    const found = this.#topics.get(key)
    const refusal = this.#refuse(key, found)
    if (refusal !== undefined) return refusal
    const isAwaited = found !== undefined && found.receiversPresent > 0
    return onlyIfAwaited && !isAwaited ? new Refusal(CORE_FAILURES.nobodyWaiting) : undefined
  }

  /** A publisher stays for more than one message, and holds the name meanwhile. Returns what it has to call when it goes. */
  stay(key: string, options: TopicJoinOptions, publisher: Publisher): (() => void) | Refusal {
    const refusal = this.refusePublisher(key, options)
    if (refusal !== undefined) return refusal
    const topic = this.#topics.get(key) ?? this.#open(key, options)
    return orEnd(topic, () => {
      topic.stay(publisher)
      return () => topic.leave(publisher)
    })
  }

  /** No message is taken any more; subscribers get what has been accepted, and their end. */
  close(): void {
    for (const topic of [...this.#topics.values()]) topic.close()
  }

  endAll(reason: EndReason): void {
    for (const topic of [...this.#topics.values()]) topic.end(reason)
  }

  #refuse(key: string, found: Topic | undefined): Refusal | undefined {
    const { isClosed, limits } = this.context
    if (isClosed) return new Refusal(CORE_FAILURES.shuttingDown)
    if (found !== undefined) return undefined
    const other = this.context.get(key)
    if (other !== undefined) return refuseKind(other, TOPIC)
    const { maxWaiting: expected } = limits
    return this.#topics.size >= expected ? new Refusal(TOPIC_FAILURES.tooManyTopics, { expected }) : undefined
  }

  #open(key: string, { newTransferId }: TopicJoinOptions): Topic {
    const { context } = this
    const topic = new Topic(context, context.nextId(), key, newTransferId(), () => this.#topics.delete(key))
    this.#topics.set(key, topic)
    context.observer?.onWaiting(topic)
    return topic
  }
}

/** A defect in the middle of a call must not leave a topic behind that is broken. */
function orEnd<T>(topic: Topic, call: (topic: Topic) => T): T {
  try {
    return call(topic)
  } catch (defect) {
    topic.end('fault')
    throw defect
  }
}
