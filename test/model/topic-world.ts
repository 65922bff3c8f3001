import assert from 'node:assert/strict'
import type { Failure, Limits, Publication, TopicEncoding } from '../../core/index.js'
import { Bench, type Core } from '../core/fakes/bench.js'
import { LINES, NUMBERED, type TestSubscriber, trySubscribe } from '../core/topic/sides.js'
import { type Coverage, count } from './coverage.js'
import { LIMITS, PIPE_KEY, TOPIC_KEYS } from './limits.js'
import { ModelPublisher } from './model-publisher.js'
import type { Random } from './random.js'
import { SpecTimers } from './spec-timers.js'
import { type SpecMessage, SpecPublisher, SpecTopic } from './spec-topic.js'
import type { SpecFormat } from './spec-topic-stream.js'
import { type Staying, type Subscribed, TopicComparison, type Waiting } from './topic-comparison.js'

const TOPIC_LIMITS: Limits = {
  ...LIMITS,
  windowBytes: 60,
  holdBytes: 100_000,
  maxWaiting: 3,
  topic: { maxSubscribers: 4, slow: 'hold', stallMs: 3000, silenceMs: 4000 },
}
const STOPPED: Failure = { code: 'STOPPED', status: 409, message: 'Stopped.', hint: 'Try again.' }
const AS_LINES: SpecFormat = { opening: '', closing: '', silence: '', encode: (text) => `${text}\n` }
const AS_NUMBERED: SpecFormat = { opening: '<', closing: '>', silence: '~', encode: (text, id) => `${id}:${text};` }

/** Topics with sides that take random steps, on the core and on their specification alike. */
export class TopicWorld {
  /** What was done, to explain a failure. */
  readonly history: string[] = []
  readonly bench: Bench
  readonly topics = new Map<string, SpecTopic>()
  readonly timers = new SpecTimers()
  /** What the observer must have been told. */
  readonly events = [`waiting ${PIPE_KEY}`]
  isClosed = false
  here: Subscribed[] = []
  waiting: Waiting[] = []
  staying: Staying[] = []
  /** Sides that were: late calls of theirs must do nothing. */
  readonly past: { subscriber?: TestSubscriber; publication?: Publication; leave?: () => void } = {}
  readonly #limits: Limits
  readonly #comparison: TopicComparison
  #texts = 0

  constructor(
    core: Core,
    readonly random: Random,
    readonly coverage: Coverage,
  ) {
    const slow = random.chance(25) ? 'cut' : 'hold'
    const stallMs = random.chance(50) ? TOPIC_LIMITS.topic.stallMs : 0
    this.#limits = { ...TOPIC_LIMITS, topic: { ...TOPIC_LIMITS.topic, slow, stallMs } }
    this.bench = new Bench({ limits: this.#limits, maxSlabs: 4096, roomy: true, core })
    this.bench.receiver(PIPE_KEY, { waitMs: 1e9 })
    this.#comparison = new TopicComparison(this)
  }

  step(): void {
    const die = this.random.below(1000)
    if (die < 80) this.#subscribe()
    else if (die < 460) this.#publish()
    else if (die < 680) this.#drain()
    else if (die < 730) this.#subscriberGoes()
    else if (die < 760) this.#withdraw()
    else if (die < 780) this.#stay()
    else if (die < 795) this.#leave()
    else if (die < 800) this.#intrude()
    else if (die < 830) this.#lateCall()
    else if (die < 996) this.#turn()
    else if (die < 999) this.#stop()
    else this.#close()
    this.#comparison.run()
  }

  finish(): void {
    const reason = this.random.chance(50) ? 'shutting_down' : 'fault'
    this.#note(`endAll ${reason}`)
    this.bench.table.endAll(reason)
    if (!this.isClosed) this.events.push(`ended ${PIPE_KEY} ${reason}`)
    for (const topic of [...this.topics.values()]) topic.end(reason)
    this.#comparison.run()
    for (let i = 0; i < 5; i++) this.#lateCall()
    this.bench.assertEmpty()
  }

  // --- subscribers

  #subscribe(): void {
    const { random, bench } = this
    const key = this.#anyKey()
    const isNumbered = random.chance(50)
    const room = random.chance(25) ? Number.POSITIVE_INFINITY : random.below(50)
    const [onlyIfAwaited, finishesAtOnce] = [random.chance(10), random.chance(50)]
    this.#note(
      `somebody subscribes to ${key}, numbered=${isNumbered} room=${room} now=${onlyIfAwaited} at once=${finishesAtOnce}`,
    )
    const encoding: TopicEncoding = isNumbered ? NUMBERED : LINES
    const found = this.topics.get(key)
    const isFull = (found?.subscribers.size ?? 0) >= this.#limits.topic.maxSubscribers
    const isAwaited = found?.hasPublisher === true
    const expected =
      this.#refusal(key) ??
      (onlyIfAwaited && !isAwaited ? 'NOBODY_WAITING' : undefined) ??
      (isFull ? 'SUBSCRIBERS_FULL' : undefined)
    const fake = trySubscribe(bench, key, { encoding, room, onlyIfAwaited, finishesAtOnce })
    if (this.#isRefused(fake, expected)) return
    const topic = this.#topic(key)
    const spec = topic.subscribe(isNumbered ? AS_NUMBERED : AS_LINES, room, finishesAtOnce)
    this.here.push({ key, topic, fake: fake as TestSubscriber, spec })
  }

  #drain(): void {
    const subscriber = this.random.pick(this.here.filter(({ spec }) => spec.full || spec.finishCalled))
    if (subscriber === undefined) return
    const { key, topic, fake, spec } = subscriber
    if (spec.finishCalled) {
      this.#note(`a subscriber of ${key} has everything`)
      fake.handOn()
      topic.handOn(spec)
      return
    }
    const room = this.random.chance(15) ? Number.POSITIVE_INFINITY : this.random.below(60)
    this.#note(`a subscriber of ${key} drains, room ${room}`)
    fake.drain(room)
    topic.drain(spec, room)
  }

  #subscriberGoes(): void {
    const subscriber = this.random.pick(this.here)
    if (subscriber === undefined) return
    const { key, topic, fake, spec } = subscriber
    const isFault = this.random.chance(15)
    this.#note(`a subscriber of ${key} ${isFault ? 'meets a defect' : 'leaves'}`)
    if (isFault) fake.place.fault()
    else fake.leave()
    if (isFault) topic.cut(spec, 'fault')
    else topic.left(spec)
  }

  // --- publishers

  #publish(): void {
    const { random, bench } = this
    const staying = random.chance(25) ? random.pick(this.staying) : undefined
    // One that stays has one message at a time.
    if (staying !== undefined && this.waiting.some(({ fake }) => fake === staying.fake)) return
    const key = staying?.key ?? this.#anyKey()
    const text = `${++this.#texts}${'x'.repeat(random.chance(5) ? 150 : random.below(20))}`
    const min = random.chance(15) ? random.between(1, 5) : 0
    const waitMs = random.between(50, 3000)
    const onlyIfAwaited = random.chance(8)
    const asked = random.chance(15) ? (['hold', 'cut'] as const)[random.below(2)] : undefined
    this.#note(`message ${text.slice(0, 8)} for ${key}, min=${min} wait=${waitMs} now=${onlyIfAwaited} slow=${asked}`)
    const fake = staying?.fake ?? new ModelPublisher()
    const spec = staying?.spec ?? new SpecPublisher()
    const slow = asked ?? this.#limits.topic.slow
    const message = { text, min, waitMs, now: onlyIfAwaited, slow, publisher: spec }
    const options = { min, waitMs, onlyIfAwaited, slow: asked, newTransferId: () => 'topic' }
    const publication = fake.publish(bench, key, text, options)
    const outcome = this.#outcome(key, message)
    if (outcome !== undefined) spec.log.push(outcome)
    if (fake.code !== undefined) count(this.coverage.refusals, fake.code)
    assert.equal(publication === undefined ? fake.log.at(-1) : undefined, outcome, 'what the publisher reads at once')
    const topic = this.topics.get(key)
    if (publication !== undefined) this.waiting.push({ topic: topic!, fake, spec, message, publication })
  }

  #outcome(key: string, message: SpecMessage): string | undefined {
    const refusal = this.#refusal(key)
    if (refusal !== undefined) return `refused ${refusal}`
    if (!this.topics.has(key)) {
      if (message.now) return 'refused NOBODY_WAITING'
      if (message.min === 0) return 'delivered 0'
    }
    return this.#topic(key).publish(message)
  }

  #withdraw(): void {
    const one = this.random.pick(this.waiting)
    if (one === undefined) return
    this.#note(`message ${one.message.text.slice(0, 8)} is withdrawn`)
    this.#withdrawThis(one)
  }

  #withdrawThis({ topic, message, publication }: Waiting): void {
    publication.withdraw()
    topic.withdraw(message)
    this.past.publication = publication
    this.waiting = this.waiting.filter((each) => each.message !== message)
  }

  #stay(): void {
    const key = this.#anyKey()
    const onlyIfAwaited = this.random.chance(20)
    this.#note(`somebody publishes line by line to ${key}, now=${onlyIfAwaited}`)
    const isAwaited = (this.topics.get(key)?.subscribers.size ?? 0) > 0
    const expected = this.#refusal(key) ?? (onlyIfAwaited && !isAwaited ? 'NOBODY_WAITING' : undefined)
    const fake = new ModelPublisher()
    const leave = this.bench.table.topics.stay(key, { newTransferId: () => 'topic', onlyIfAwaited }, fake)
    if (this.#isRefused(leave, expected)) return
    const [topic, spec] = [this.#topic(key), new SpecPublisher()]
    topic.stay(spec)
    this.staying.push({ key, topic, fake, spec, leave: leave as () => void })
  }

  #leave(): void {
    const one = this.random.pick(this.staying)
    if (one === undefined) return
    const { key, topic, fake, spec, leave } = one
    this.#note(`a publisher leaves ${key}`)
    for (const each of this.waiting.filter((other) => other.fake === fake)) this.#withdrawThis(each)
    leave()
    topic.leave(spec)
    this.past.leave = leave
    this.staying.splice(this.staying.indexOf(one), 1)
  }

  // --- others

  /** Somebody takes the name for a pipe. */
  #intrude(): void {
    const key = this.random.pick([...this.topics.keys()])
    if (key === undefined) return
    this.#note(`somebody wants a pipe on ${key}`)
    const isSender = this.random.chance(50)
    const found = isSender ? this.bench.trySender(key) : this.bench.tryReceiver(key)
    this.#isRefused(found, this.isClosed ? 'SHUTTING_DOWN' : 'KIND_CLASH')
  }

  /** A side that has no part in anything calls: nothing may happen, and the fakes fail on any answer. */
  #lateCall(): void {
    const { subscriber, publication, leave } = this.past
    const die = this.random.below(6)
    this.#note(`late call ${die}`)
    if (die === 0) subscriber?.place.drained()
    else if (die === 1) subscriber?.place.finished()
    else if (die === 2) subscriber?.place.fault()
    else if (die === 3) subscriber?.place.left()
    else if (die === 4) publication?.withdraw()
    else leave?.()
  }

  #turn(): void {
    const ms = this.random.chance(93) ? this.random.between(1, 300) : this.random.between(400, 5000)
    this.#note(`${ms} ms pass`)
    this.bench.advance(ms)
    this.timers.advance(ms)
  }

  #stop(): void {
    const key = this.random.pick(TOPIC_KEYS)!
    this.#note(`stop ${key}`)
    const topic = this.topics.get(key)
    assert.equal(this.bench.table.stop(key, STOPPED), topic !== undefined, `a topic ${key} to stop`)
    topic?.end('stopped')
  }

  #close(): void {
    if (this.history.length < 200 || this.isClosed) return
    this.#note('close')
    this.bench.table.close()
    this.isClosed = true
    this.events.push(`ended ${PIPE_KEY} shutting_down`)
    for (const topic of [...this.topics.values()]) topic.close()
  }

  // --- names

  #anyKey(): string {
    return this.random.chance(80) ? TOPIC_KEYS[0]! : this.random.pick([...TOPIC_KEYS, PIPE_KEY])!
  }

  /** Why nobody can join this name, whatever they want there. */
  #refusal(key: string): string | undefined {
    if (this.isClosed) return 'SHUTTING_DOWN'
    if (this.topics.has(key)) return undefined
    if (key === PIPE_KEY) return 'KIND_CLASH'
    return this.topics.size >= this.#limits.maxWaiting ? 'TOO_MANY_TOPICS' : undefined
  }

  #topic(key: string): SpecTopic {
    const found = this.topics.get(key)
    if (found !== undefined) return found
    this.events.push(`waiting ${key}`)
    const topic: SpecTopic = new SpecTopic(this.#limits, this.timers, {
      paired: () => this.events.push(`paired ${key}`),
      ended: (reason) => {
        if (this.topics.get(key) === topic) this.topics.delete(key)
        this.events.push(`ended ${key} ${reason}`)
      },
    })
    this.topics.set(key, topic)
    return topic
  }

  #isRefused(found: unknown, expected: string | undefined): boolean {
    const code = found instanceof this.bench.core.Refusal ? found.failure.code : undefined
    assert.equal(code, expected, 'refusal')
    if (code !== undefined) count(this.coverage.refusals, code)
    return code !== undefined
  }

  #note(what: string): void {
    this.history.push(what)
  }
}
