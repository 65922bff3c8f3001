/** Compares names for questions with their specification: what all sides were told, and what the views show. */
import assert from 'node:assert/strict'
import type { FakeAsker } from '../core/fakes/ask.js'
import type { Bench } from '../core/fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../core/fakes/sides.js'
import { same } from './comparison.js'
import { type Coverage, count } from './coverage.js'
import { ASK_LIMITS } from './limits.js'
import type { SpecAsk } from './spec-ask.js'
import type { SpecAnswer, SpecAskTable, SpecQuestion } from './spec-ask-sides.js'
import type { QueuedReceiver } from './spec-queue.js'

export interface Asker {
  readonly name: SpecAsk
  readonly fake: FakeAsker
  readonly spec: SpecQuestion
}

export interface AskWorker {
  readonly name: SpecAsk
  readonly fake: FakeReceiver
  readonly spec: QueuedReceiver
}

export interface Answerer {
  readonly name: SpecAsk
  readonly fake: FakeSender
  readonly spec: SpecAnswer
}

/** What is compared. */
interface ComparedAsks {
  readonly bench: Bench
  readonly table: SpecAskTable
  readonly names: ReadonlyMap<string, SpecAsk>
  readonly coverage: Coverage
  askers: Asker[]
  workers: AskWorker[]
  answerers: Answerer[]
  /** Sides that were. */
  readonly past: { asker?: FakeAsker; worker?: FakeReceiver; answerer?: FakeSender }
}

export class AskComparison {
  constructor(readonly world: ComparedAsks) {}

  run(): void {
    this.#compareAskers()
    this.#compareWorkers()
    for (const answerer of this.world.answerers) this.#compareAnswerer(answerer)
    this.#compareViews()
    this.#retire()
  }

  #compareAskers(): void {
    for (const { fake, spec } of this.world.askers) {
      const whose = `asker ${fake.stream}`
      const events = fake.source.events.filter((event) => event !== 'still_waiting')
      same(events, spec.log, `the question of ${whose}`)
      same(fake.sink.log, spec.askerLog, whose)
      assert.equal(fake.sink.received, spec.taken, `${whose}: bytes taken`)
      if (fake.sink.finishCalled) assert.equal(fake.sink.received, spec.answer?.fed, `${whose}: not the whole answer`)
    }
  }

  #compareWorkers(): void {
    const { askers, workers } = this.world
    for (const { fake, spec } of workers) {
      const whose = `the worker of stream ${fake.sink.stream}`
      same(fake.sink.log, spec.log, whose)
      assert.equal(fake.sink.received, spec.taken, `${whose}: bytes taken`)
      const asker = askers.find((each) => each.spec === spec.sender)
      if (asker === undefined) continue
      assert.equal(fake.sink.stream, asker.fake.stream, 'the one that came first')
      assert.equal(fake.endpoint.pipe.answerId, asker.spec.answerId, `${whose}: what it answers by`)
    }
  }

  #compareAnswerer({ fake: { stream, source, fed }, spec }: Answerer): void {
    same(source.events, spec.log, `answer ${stream}`)
    const { question } = spec
    const asker = this.world.askers.find((each) => each.spec === question)
    if (question.askerLog.includes('begin')) assert.equal(asker?.fake.sink.stream, stream, 'whose answer it is')
    if (!spec.isStreaming || spec.bodyDone) return
    const behind = fed - question.taken
    const isFull = asker!.fake.sink.full
    if (isFull || behind >= ASK_LIMITS.windowBytes) assert.ok(source.paused, `answer ${stream} is not held`)
    else if (behind <= ASK_LIMITS.windowBytes / 2) assert.ok(!source.paused, `answer ${stream} is held for nothing`)
  }

  #compareViews(): void {
    const { bench, names, table } = this.world
    for (const [key, spec] of names) {
      const { senders, receivers, open } = spec
      const counts = { askers: senders.length, workers: receivers.length, unanswered: open.size }
      assert.deepEqual(bench.table.get(key)?.ask, spec.isFree ? undefined : counts, `what ${key} counts`)
    }
    const unanswered = [...names.values()].flatMap(({ open }) => [...open].filter(({ isAwaited }) => isAwaited))
    assert.equal(bench.table.unanswered, unanswered.length, 'unanswered')
    assert.equal(bench.table.waiting, table.waiting, 'waiting')
    assert.equal(bench.table.streaming, table.streaming, 'streaming')
  }

  /** Sides that are over can only make late calls from now on. */
  #retire(): void {
    const { world } = this
    const { reasons } = world.coverage
    for (const { fake, spec } of world.askers) {
      if (!spec.isDone) continue
      count(reasons, fake.source.ended ?? 'abandoned')
      if (fake.sink.aborted !== undefined) count(reasons, fake.sink.aborted)
      world.past.asker = fake
    }
    for (const { fake, spec } of world.workers) if (spec.isOver) world.past.worker = fake
    for (const { fake, spec } of world.answerers) if (spec.isOver) world.past.answerer = fake
    world.askers = world.askers.filter(({ spec }) => !spec.isDone)
    world.workers = world.workers.filter(({ spec }) => !spec.isOver)
    world.answerers = world.answerers.filter(({ spec }) => !spec.isOver)
  }
}
