import assert from 'node:assert/strict'
import type { Failure } from '../../core/index.js'
import { type FakeAsker, tryAnswer, tryAsker } from '../core/fakes/ask.js'
import { Bench, type Core } from '../core/fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../core/fakes/sides.js'
import { FakeSink } from '../core/fakes/sink.js'
import { type Answerer, AskComparison, type Asker, type AskWorker } from './ask-comparison.js'
import { type Coverage, count } from './coverage.js'
import { ASK_KEYS, ASK_LIMITS } from './limits.js'
import type { Random } from './random.js'
import { SpecAsk } from './spec-ask.js'
import { SpecAnswer, SpecAskTable, SpecQuestion } from './spec-ask-sides.js'
import { QueuedReceiver } from './spec-queue.js'

const STOPPED: Failure = { code: 'STOPPED', status: 409, message: 'Stopped.', hint: 'Try again.' }

/** Names for questions with sides that take random steps, on the core and on its specification alike. */
export class AskWorld {
  /** What was done, to explain a failure. */
  readonly history: string[] = []
  readonly bench: Bench
  readonly table = new SpecAskTable(ASK_LIMITS)
  readonly names = new Map(ASK_KEYS.map((key) => [key, new SpecAsk(this.table)]))
  askers: Asker[] = []
  workers: AskWorker[] = []
  answerers: Answerer[] = []
  /** Sides that were: late calls of theirs must do nothing. */
  readonly past: { asker?: FakeAsker; worker?: FakeReceiver; answerer?: FakeSender } = {}
  /** Names of answers that were given out, good or void. */
  readonly #answerIds: string[] = ['answer-0']
  readonly #comparison: AskComparison
  /** Which side comes more often. */
  readonly #lean: number

  constructor(
    core: Core,
    readonly random: Random,
    readonly coverage: Coverage,
  ) {
    this.bench = new Bench({ limits: ASK_LIMITS, maxSlabs: 4096, roomy: true, core })
    this.#comparison = new AskComparison(this)
    this.#lean = random.between(30, 70)
  }

  step(): void {
    const die = this.random.below(1000)
    if (die < 170) this.random.chance(this.#lean) ? this.#joinAsker() : this.#joinWorker()
    else if (die < 260) this.#answer()
    else if (die < 360) this.#feed()
    else if (die < 450) this.#endBody()
    else if (die < 520) this.#feedAnswer()
    else if (die < 590) this.#endAnswer()
    else if (die < 640) this.#askerReads()
    else if (die < 690) this.#workerHandsOn()
    else if (die < 740) this.#arrive()
    else if (die < 800) this.#workerLeaves()
    else if (die < 820) this.#askerLeaves()
    else if (die < 840) this.#answererLeaves()
    else if (die < 870) this.#doubt()
    else if (die < 885) this.#breaks()
    else if (die < 910) this.#lateCall()
    else if (die < 996) this.#turn()
    else if (die < 998) this.#stop()
    else this.#close()
    this.#comparison.run()
  }

  finish(): void {
    const reason = this.random.chance(50) ? 'shutting_down' : 'fault'
    this.#note(`endAll ${reason}`)
    this.bench.table.endAll(reason)
    for (const name of this.names.values()) name.endHere(reason)
    this.#comparison.run()
    for (let i = 0; i < 5; i++) this.#lateCall()
    this.bench.assertEmpty()
  }

  // --- who comes

  #joinAsker(): void {
    const { random, bench } = this
    const [key, name] = this.#anyName()
    const onlyIfAwaited = random.chance(10)
    const takeMs = random.chance(40) ? random.between(500, 3000) : 0
    const [waitMs, withinMs] = [random.between(500, 15_000), random.between(300, 6000)]
    const length = random.chance(30) ? random.below(300) : undefined
    const maxBytes = random.chance(10) ? random.below(300) : Number.POSITIVE_INFINITY
    const room = random.chance(50) ? Number.POSITIVE_INFINITY : random.below(200)
    const finishesAtOnce = random.chance(50)
    this.#note(
      `stream ${bench.streams} asks ${key}, take=${takeMs} wait=${waitMs} within=${withinMs} now=${onlyIfAwaited} length=${length} max=${maxBytes} room=${room} at once=${finishesAtOnce}`,
    )
    const expected = name.refusal('sender', onlyIfAwaited)
    const common = { takeMs, waitMs, withinMs, onlyIfAwaited, limits: { maxBytes } }
    const ofLength = length === undefined ? {} : { length }
    const sink = new FakeSink(room, finishesAtOnce)
    const fake = tryAsker(bench, key, { ...common, ...ofLength, sink })
    if (this.#isRefused(fake, expected)) return
    const spec = new SpecQuestion(waitMs, takeMs, withinMs, length, maxBytes, room, finishesAtOnce)
    name.joinSender(spec)
    this.askers.push({ name, fake: fake as FakeAsker, spec })
  }

  #joinWorker(): void {
    const { random } = this
    const [key, name] = this.#anyName()
    const onlyIfAwaited = random.chance(10)
    const [lags, finishesAtOnce] = [random.chance(60), random.chance(50)]
    const waitMs = random.between(500, 15_000)
    this.#note(`a worker comes to ${key}, lags=${lags} at once=${finishesAtOnce} wait=${waitMs} now=${onlyIfAwaited}`)
    const expected = name.refusal('receiver', onlyIfAwaited)
    const fake = this.bench.tryReceiver(key, { serve: true, lags, finishesAtOnce, waitMs, onlyIfAwaited })
    if (this.#isRefused(fake, expected)) return
    const spec = new QueuedReceiver(lags, finishesAtOnce)
    name.joinReceiver(spec, waitMs)
    this.workers.push({ name, fake: fake as FakeReceiver, spec })
  }

  /** Somebody answers: mostly what is good now, and sometimes what was, or was in the other project. */
  #answer(): void {
    const { random, bench } = this
    const [key, name] = this.#anyName()
    const { answerId: good } = random.pick([...name.open]) ?? {}
    const isGood = good !== undefined && random.chance(80)
    const answerId = isGood ? good : random.pick(this.#answerIds)!
    if (good !== undefined) this.#answerIds.push(good)
    this.#answerIds.splice(1, this.#answerIds.length - 12)
    const length = random.chance(30) ? random.below(300) : undefined
    this.#note(`stream ${bench.streams} answers ${answerId} of ${key}, length=${length}`)
    const question = name.answeredBy(answerId)
    const fake = tryAnswer(bench, key, answerId, length)
    if (this.#isRefused(fake, question === undefined ? 'ANSWER_GONE' : undefined)) return
    const spec = new SpecAnswer(question!, length)
    name.joinAnswer(question!, spec)
    this.answerers.push({ name, fake: fake as FakeSender, spec })
  }

  #anyName(): [key: string, name: SpecAsk] {
    const key = ASK_KEYS[this.random.chance(75) ? 0 : 1]!
    return [key, this.names.get(key)!]
  }

  #isRefused(found: unknown, expected: string | undefined): boolean {
    const code = found instanceof this.bench.core.Refusal ? found.failure.code : undefined
    assert.equal(code, expected, 'refusal')
    if (code !== undefined) count(this.coverage.refusals, code)
    return code !== undefined
  }

  // --- bodies

  #feed(): void {
    const asking = this.askers.filter(({ fake, spec }) => !spec.isOver && !spec.bodyDone && fake.fed < 1500)
    const asker = this.random.pick(asking)
    if (asker === undefined || (asker.fake.source.paused && !this.random.chance(10))) return
    this.#feedThis(asker, this.#bytesFor(asker.spec, asker.fake.fed))
  }

  #feedThis({ name, fake, spec }: Asker, bytes: number): void {
    this.#note(`stream ${fake.stream} feeds ${bytes}`)
    fake.feed(bytes)
    name.feed(spec, bytes)
  }

  /** Most keep to the length that they announced. */
  #bytesFor({ length }: { readonly length: number | undefined }, fed: number): number {
    const bytes = this.random.between(1, 200)
    const left = (length ?? Number.POSITIVE_INFINITY) - fed
    return left > 0 && this.random.chance(90) ? Math.min(bytes, left) : bytes
  }

  #endBody(): void {
    const asker = this.random.pick(this.askers.filter(({ spec }) => !spec.isOver && !spec.bodyDone))
    if (asker === undefined) return
    const { name, fake, spec } = asker
    const left = (spec.length ?? 0) - fake.fed
    if (left > 0 && this.random.chance(80)) this.#feedThis(asker, left)
    this.#note(`stream ${fake.stream} ends`)
    fake.end()
    if (!spec.isOver) name.endBody(spec)
  }

  #feedAnswer(): void {
    const running = this.answerers.filter(({ fake, spec }) => !spec.isOver && !spec.bodyDone && fake.fed < 1500)
    const answerer = this.random.pick(running)
    if (answerer === undefined || (answerer.fake.source.paused && !this.random.chance(10))) return
    this.#feedAnswerThis(answerer, this.#bytesFor(answerer.spec, answerer.fake.fed))
  }

  #feedAnswerThis({ name, fake, spec }: Answerer, bytes: number): void {
    this.#note(`answer ${fake.stream} feeds ${bytes}`)
    fake.feed(bytes)
    name.feedAnswer(spec.question, bytes)
  }

  #endAnswer(): void {
    const answerer = this.random.pick(this.answerers.filter(({ spec }) => !spec.isOver && !spec.bodyDone))
    if (answerer === undefined) return
    const { name, fake, spec } = answerer
    const left = (spec.length ?? 0) - fake.fed
    if (left > 0 && this.random.chance(80)) this.#feedAnswerThis(answerer, left)
    this.#note(`answer ${fake.stream} ends`)
    fake.end()
    if (!spec.isOver) name.endAnswerBody(spec.question)
  }

  /** Something is wrong with a body, or a defect is met on one of the four ways. */
  #breaks(): void {
    const { random } = this
    const reason = random.chance(50) ? 'broken_body' : 'broken_form'
    const [asker, answerer, worker] = [
      random.pick(this.askers),
      random.pick(this.answerers.filter(({ spec }) => !spec.isOver)),
      random.pick(this.workers),
    ]
    const die = random.below(5)
    this.#note(`breaks ${die} ${reason}: ${asker?.fake.stream} ${answerer?.fake.stream} ${worker?.fake.sink.stream}`)
    if (die === 0 && asker !== undefined) {
      asker.fake.endpoint.broken(reason)
      asker.name.breaks(asker.spec, reason)
    } else if (die === 1 && asker !== undefined) {
      asker.fake.answer.fault()
      asker.name.askerFaults(asker.spec)
    } else if (die === 2 && answerer !== undefined) {
      answerer.fake.endpoint.broken(reason)
      answerer.name.endAnswer(answerer.spec.question, reason)
    } else if (die === 3 && answerer !== undefined) {
      answerer.fake.endpoint.fault()
      answerer.name.endAnswer(answerer.spec.question, 'fault')
    } else if (die === 4 && worker !== undefined) {
      worker.fake.endpoint.fault()
      worker.name.workerFaults(worker.spec)
    }
  }

  // --- responses

  /** Who asked has room for more of the answer, or has got the last byte. */
  #askerReads(): void {
    const { random } = this
    const asker = random.pick(this.askers.filter(({ spec }) => !spec.finished))
    if (asker === undefined) return
    const { name, fake, spec } = asker
    if (spec.finishCalled) {
      this.#note(`asker ${fake.stream} has all of its answer`)
      fake.sink.finished = true
      fake.answer.finished()
      name.askerHandsOn(spec)
    } else if (spec.answer !== undefined) {
      const room = random.chance(40) ? Number.POSITIVE_INFINITY : random.below(200)
      this.#note(`asker ${fake.stream} drains, room ${room}`)
      fake.drain(room)
      name.askerDrains(spec, room)
    }
  }

  #workerHandsOn(): void {
    const worker = this.random.pick(this.workers.filter(({ spec }) => spec.finishCalled))
    if (worker === undefined) return
    this.#note(`the end of stream ${worker.fake.sink.stream} has arrived`)
    worker.fake.sink.inFlight = 0
    worker.spec.inFlight = 0
    worker.fake.handOn()
    worker.name.handOn(worker.spec)
  }

  #arrive(): void {
    const worker = this.random.pick(this.workers.filter(({ spec }) => spec.inFlight > 0))
    if (worker === undefined) return
    const bytes = this.random.between(1, worker.spec.inFlight)
    this.#note(`${bytes} bytes of stream ${worker.fake.sink.stream} arrive`)
    worker.fake.sink.inFlight -= bytes
    worker.spec.inFlight -= bytes
    if (this.random.chance(50)) worker.fake.drain()
  }

  // --- who goes

  #workerLeaves(): void {
    const worker = this.random.pick(this.workers)
    if (worker === undefined) return
    this.#note(`the worker of stream ${worker.fake.sink.stream} leaves`)
    worker.fake.leave()
    worker.name.receiverLeaves(worker.spec)
  }

  #askerLeaves(): void {
    const asker = this.random.pick(this.askers)
    if (asker === undefined) return
    this.#note(`asker ${asker.fake.stream} leaves`)
    asker.fake.leave()
    asker.name.askerLeaves(asker.spec)
  }

  #answererLeaves(): void {
    const answerer = this.random.pick(this.answerers)
    if (answerer === undefined || answerer.spec.isOver) return
    this.#note(`answer ${answerer.fake.stream} leaves`)
    answerer.fake.leave()
    answerer.name.answererLeaves(answerer.spec.question)
  }

  /** A waiting worker is seen to be gone, or found to be here. */
  #doubt(): void {
    const worker = this.random.pick(this.workers.filter(({ spec }) => spec.sender === undefined))
    if (worker === undefined) return
    const isHere = !worker.spec.isHere
    this.#note(`a waiting worker is ${isHere ? 'here' : 'in doubt'}`)
    worker.fake.sink.here = isHere
    worker.spec.isHere = isHere
  }

  /** A side that has no part in anything calls: nothing may happen, and the fakes fail on any answer. */
  #lateCall(): void {
    const { asker, worker, answerer } = this.past
    const die = this.random.below(9)
    this.#note(`late call ${die} of ${asker?.stream}, ${worker?.sink.stream}, ${answerer?.stream}`)
    if (die === 0) worker?.endpoint.fault()
    else if (die === 1) worker?.endpoint.left()
    else if (die === 2) worker?.endpoint.drained()
    else if (die === 3) worker?.endpoint.finished()
    else if (die === 4) asker?.leave()
    else if (die === 5) asker?.ask(3)
    else if (die === 6) asker?.answer.fault()
    else if (die === 7) answerer?.feed(3)
    else answerer?.leave()
  }

  // --- everything

  #turn(): void {
    const ms = this.random.chance(95) ? this.random.between(1, 600) : this.random.between(600, 5000)
    this.#note(`${ms} ms pass`)
    this.bench.advance(ms)
    this.table.timers.advance(ms)
  }

  #stop(): void {
    const [key, name] = this.#anyName()
    this.#note(`stop ${key}`)
    assert.equal(this.bench.table.stop(key, STOPPED), !name.isFree, `a name ${key} to stop`)
    name.endHere('stopped')
  }

  #close(): void {
    if (this.history.length < 200) return
    this.#note('close')
    this.bench.table.close()
    for (const name of this.names.values()) name.close()
  }

  #note(what: string): void {
    this.history.push(what)
  }
}
