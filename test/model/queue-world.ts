import assert from 'node:assert/strict'
import type { Limits } from '../../core/index.js'
import { Bench, type Core } from '../core/fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../core/fakes/sides.js'
import { same } from './comparison.js'
import { type Coverage, count } from './coverage.js'
import { LIMITS } from './limits.js'
import type { Random } from './random.js'
import { QueuedReceiver, QueuedSender, SpecQueue } from './spec-queue.js'

const KEY = 'queue'
const QUEUE_LIMITS: Limits = {
  ...LIMITS,
  maxQueued: 4,
  maxWaiting: 6,
  maxActive: 1000,
  idleMs: 0,
  minRate: 0,
  holdBytes: 4096,
}

interface Sender {
  readonly fake: FakeSender
  readonly spec: QueuedSender
}

interface Receiver {
  readonly fake: FakeReceiver
  readonly spec: QueuedReceiver
}

/** One queue with sides that take random steps, on the core and on its specification alike. */
export class QueueWorld {
  /** What was done, to explain a failure. */
  readonly history: string[] = []
  readonly #bench: Bench
  readonly #spec = new SpecQueue(QUEUE_LIMITS)
  #senders: Sender[] = []
  #receivers: Receiver[] = []
  /** Joins so far, to name sides by. */
  #joined = 0
  /** Which side comes more often. */
  readonly #lean: number

  constructor(
    core: Core,
    readonly random: Random,
    readonly coverage: Coverage,
  ) {
    this.#bench = new Bench({ limits: QUEUE_LIMITS, maxSlabs: 4096, roomy: true, core })
    this.#lean = random.between(30, 70)
  }

  step(): void {
    const die = this.random.below(1000)
    if (die < 250) this.random.chance(this.#lean) ? this.#joinSender() : this.#joinReceiver()
    else if (die < 450) this.#feed()
    else if (die < 570) this.#endBody()
    else if (die < 640) this.#handOn()
    else if (die < 740) this.#arrive()
    else if (die < 840) this.#receiverLeaves()
    else if (die < 870) this.#senderLeaves()
    else if (die < 900) this.#doubt()
    else if (die < 998) this.#turn()
    else this.#close()
    this.#compare()
  }

  finish(): void {
    const reason = this.random.chance(50) ? 'shutting_down' : 'fault'
    this.#note(`endAll ${reason}`)
    this.#bench.table.endAll(reason)
    this.#spec.endAll(reason)
    this.#compare()
    this.#bench.assertEmpty()
  }

  // --- steps

  #joinSender(): void {
    const { random } = this
    const onlyIfAwaited = random.chance(10)
    const takeMs = random.chance(40) ? random.between(500, 3000) : 0
    const waitMs = random.between(500, 15_000)
    this.#note(`sender ${this.#joined} joins, take=${takeMs} wait=${waitMs} now=${onlyIfAwaited}`)
    const expected = this.#spec.refusal('sender', onlyIfAwaited)
    const fake = this.#bench.trySender(KEY, { queue: true, takeMs, waitMs, onlyIfAwaited })
    if (this.#isRefused(fake, expected)) return
    const spec = new QueuedSender(waitMs, takeMs)
    this.#spec.joinSender(spec)
    this.#senders.push({ fake: fake as FakeSender, spec })
  }

  #joinReceiver(): void {
    const { random } = this
    const onlyIfAwaited = random.chance(10)
    const [lags, finishesAtOnce] = [random.chance(60), random.chance(50)]
    const waitMs = random.between(500, 15_000)
    this.#note(
      `receiver ${this.#joined} joins, lags=${lags} at once=${finishesAtOnce} wait=${waitMs} now=${onlyIfAwaited}`,
    )
    const expected = this.#spec.refusal('receiver', onlyIfAwaited)
    const fake = this.#bench.tryReceiver(KEY, { queue: true, lags, finishesAtOnce, waitMs, onlyIfAwaited })
    if (this.#isRefused(fake, expected)) return
    const spec = new QueuedReceiver(lags, finishesAtOnce)
    this.#spec.joinReceiver(spec, waitMs)
    this.#receivers.push({ fake: fake as FakeReceiver, spec })
  }

  #isRefused(found: unknown, expected: string | undefined): boolean {
    this.#joined++
    const code = found instanceof this.#bench.core.Refusal ? found.failure.code : undefined
    assert.equal(code, expected, 'refusal')
    if (code !== undefined) count(this.coverage.refusals, code)
    return code !== undefined
  }

  #feed(): void {
    const sender = this.random.pick(this.#senders.filter(({ fake, spec }) => !spec.bodyDone && fake.fed < 1500))
    if (sender === undefined || (sender.fake.source.paused && !this.random.chance(10))) return
    const bytes = this.random.between(1, 200)
    this.#note(`stream ${sender.fake.stream} feeds ${bytes}`)
    sender.fake.feed(bytes)
    this.#spec.feed(sender.spec, bytes)
  }

  #endBody(): void {
    const sender = this.random.pick(this.#senders.filter(({ spec }) => !spec.bodyDone))
    if (sender === undefined) return
    this.#note(`stream ${sender.fake.stream} ends`)
    sender.fake.end()
    this.#spec.endBody(sender.spec)
  }

  #handOn(): void {
    const receiver = this.random.pick(this.#receivers.filter(({ spec }) => spec.finishCalled))
    if (receiver === undefined) return
    this.#note(`the end of stream ${receiver.fake.sink.stream} has arrived`)
    receiver.fake.sink.inFlight = 0
    receiver.spec.inFlight = 0
    receiver.fake.handOn()
    this.#spec.handOn(receiver.spec)
  }

  #arrive(): void {
    const receiver = this.random.pick(this.#receivers.filter(({ spec }) => spec.inFlight > 0))
    if (receiver === undefined) return
    const bytes = this.random.between(1, receiver.spec.inFlight)
    this.#note(`${bytes} bytes of stream ${receiver.fake.sink.stream} arrive`)
    receiver.fake.sink.inFlight -= bytes
    receiver.spec.inFlight -= bytes
    if (this.random.chance(50)) receiver.fake.drain()
  }

  #receiverLeaves(): void {
    const receiver = this.random.pick(this.#receivers)
    if (receiver === undefined) return
    this.#note(`the receiver of stream ${receiver.fake.sink.stream} leaves`)
    receiver.fake.leave()
    this.#spec.receiverLeaves(receiver.spec)
  }

  #senderLeaves(): void {
    const sender = this.random.pick(this.#senders)
    if (sender === undefined || sender.spec.gone) return
    this.#note(`stream ${sender.fake.stream} leaves`)
    sender.fake.leave()
    this.#spec.senderLeaves(sender.spec)
  }

  /** A waiting receiver is seen to be gone, or found to be here. */
  #doubt(): void {
    const receiver = this.random.pick(this.#receivers.filter(({ spec }) => spec.sender === undefined))
    if (receiver === undefined) return
    const isHere = !receiver.spec.isHere
    this.#note(`a waiting receiver is ${isHere ? 'here' : 'in doubt'}`)
    receiver.fake.sink.here = isHere
    receiver.spec.isHere = isHere
  }

  #turn(): void {
    const ms = this.random.chance(95) ? this.random.between(1, 600) : this.random.between(600, 5000)
    this.#note(`${ms} ms pass`)
    this.#bench.advance(ms)
    this.#spec.advance(ms)
  }

  #close(): void {
    if (this.history.length < 200 || this.#spec.isClosed) return
    this.#note('close')
    this.#bench.table.close()
    this.#spec.close()
  }

  // --- comparison

  #compare(): void {
    for (const { fake, spec } of this.#senders) {
      const events = fake.source.events.filter((event) => event !== 'still_waiting')
      same(events, spec.log, `stream ${fake.stream}`)
      if (spec.isOver) count(this.coverage.reasons, fake.source.ended ?? 'abandoned')
    }
    for (const { fake, spec } of this.#receivers) {
      const whose = `receiver of stream ${fake.sink.stream}`
      same(fake.sink.log, spec.log, whose)
      assert.equal(fake.sink.received, spec.taken, `${whose}: bytes taken`)
      const stream = this.#senders.find((sender) => sender.spec === spec.sender)?.fake.stream
      if (stream !== undefined) assert.equal(fake.sink.stream, stream, 'the one that came first')
    }
    const { senders, receivers, running } = this.#spec
    const name = this.#bench.table.get(KEY)
    const counts = { senders: senders.length, receivers: receivers.length, running: running.size }
    const isFree = counts.senders + counts.receivers + counts.running === 0
    // Nobody stays for many jobs here: core/pairing/scenes/queue-staying has those.
    const expected = isFree ? undefined : { ...counts, producers: 0, workers: 0 }
    assert.deepEqual(name?.queue, expected, 'what the queue counts')
    assert.equal(this.#bench.table.waiting, counts.senders + counts.receivers, 'waiting')
    assert.equal(this.#bench.table.streaming, counts.running, 'streaming')
    this.#senders = this.#senders.filter(({ spec }) => !spec.isOver)
    this.#receivers = this.#receivers.filter(({ spec }) => !spec.isOver)
  }

  #note(what: string): void {
    this.history.push(what)
  }
}
