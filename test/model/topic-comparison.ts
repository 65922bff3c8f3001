/** Compares topics with their specification: what all sides and the observer were told, and what the views show. */
import assert from 'node:assert/strict'
import type { Publication } from '../../core/index.js'
import type { Bench } from '../core/fakes/bench.js'
import type { TestSubscriber } from '../core/topic/sides.js'
import { same } from './comparison.js'
import { type Coverage, count } from './coverage.js'
import { TOPIC_KEYS } from './limits.js'
import type { ModelPublisher } from './model-publisher.js'
import type { SpecMessage, SpecPublisher, SpecTopic } from './spec-topic.js'
import type { SpecSubscriber } from './spec-topic-stream.js'

export interface Subscribed {
  readonly key: string
  readonly topic: SpecTopic
  readonly fake: TestSubscriber
  readonly spec: SpecSubscriber
}

/** A publisher that waits for what becomes of its message. */
export interface Waiting {
  readonly topic: SpecTopic
  readonly fake: ModelPublisher
  readonly spec: SpecPublisher
  readonly message: SpecMessage
  readonly publication: Publication
}

/** A publisher that stays for more than one message. */
export interface Staying {
  readonly key: string
  readonly topic: SpecTopic
  readonly fake: ModelPublisher
  readonly spec: SpecPublisher
  readonly leave: () => void
}

/** What is compared. */
interface ComparedTopics {
  readonly bench: Bench
  readonly topics: ReadonlyMap<string, SpecTopic>
  readonly coverage: Coverage
  /** What the observer must have been told. */
  readonly events: readonly string[]
  here: Subscribed[]
  waiting: Waiting[]
  staying: Staying[]
  /** Sides that were. */
  readonly past: { subscriber?: TestSubscriber; publication?: Publication; leave?: () => void }
}

export class TopicComparison {
  constructor(readonly world: ComparedTopics) {}

  run(): void {
    const { world } = this
    for (const { key, fake, spec } of world.here) {
      const whose = `a subscriber of ${key}`
      same(fake.sink.log, spec.log, whose)
      assert.equal(fake.text, spec.text, `${whose}: what it has got`)
      assert.equal(fake.sink.full, spec.full, `${whose}: full`)
    }
    for (const { fake, spec } of [...world.waiting, ...world.staying]) same(fake.log, spec.log, 'a publisher')
    same(world.bench.observer.lines, world.events, 'the observer')
    this.#compareViews()
    this.#retire()
  }

  #compareViews(): void {
    const { bench, topics } = this.world
    assert.equal(bench.table.topics.size, topics.size, 'topics')
    for (const key of TOPIC_KEYS) {
      const [view, topic] = [bench.table.get(key), topics.get(key)]
      const counts = topic && {
        subscribers: topic.subscribers.size,
        peak: topic.peak,
        publishers: topic.staying.size,
        waiting: topic.waiting,
        messages: topic.messages,
        cuts: topic.cuts,
      }
      assert.deepEqual(view?.topic, counts, `what topic ${key} counts`)
      assert.equal(view?.bytesIn, topic?.bytes, `bytes of topic ${key}`)
    }
  }

  /** Sides that are over can only make late calls from now on. */
  #retire(): void {
    const { world } = this
    const { reasons, refusals } = world.coverage
    for (const { fake, spec } of world.here) {
      if (!spec.isGone) continue
      if (fake.sink.aborted !== undefined) count(reasons, fake.sink.aborted)
      world.past.subscriber = fake
    }
    world.here = world.here.filter(({ spec }) => !spec.isGone)
    for (const { fake, topic, message, publication } of world.waiting) {
      if (topic.held.includes(message) || topic.awaiting.includes(message)) continue
      if (fake.code !== undefined) count(refusals, fake.code)
      world.past.publication = publication
    }
    world.waiting = world.waiting.filter(
      ({ topic, message }) => topic.held.includes(message) || topic.awaiting.includes(message),
    )
    world.staying = world.staying.filter(({ topic, spec }) => topic.staying.has(spec))
  }
}
