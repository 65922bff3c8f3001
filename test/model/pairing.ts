/**
 * Drives a pipe table with random steps and compares it, after every step, with the simple telling of `Spec`. The same
 * seed takes the same steps.
 */
import assert from 'node:assert/strict'
import type { EndReason, Failure, Limits, SideLimits } from '../../core/index.js'
import { Bench, type Core, type FakeReceiver, type FakeSender, type Told } from '../core/scripted.js'
import { Random } from './random.js'
import { Spec, SpecReceiver, SpecSender } from './spec.js'

const LIMITS: Limits = {
  maxWaiting: 3,
  maxActive: 2,
  windowBytes: 256,
  holdBytes: 512,
  idleMs: 4000,
  minRate: 30,
  ratePeriodMs: 5000,
  reminderMs: 3000,
}
const SLAB_BYTES = 64
const STOPPED: Failure = { code: 'STOPPED', status: 409, message: 'Stopped.', hint: 'Try again.' }
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** What a run came across, so that a test can see that the model goes everywhere. */
export interface Seen {
  readonly reasons: Map<string, number>
  readonly refusals: Map<string, number>
}

export function newSeen(): Seen {
  return { reasons: new Map(), refusals: new Map() }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}

/** A side as the core sees it, and as the simple telling does. */
interface Sender {
  readonly fake: FakeSender
  readonly spec: SpecSender
}

interface Receiver {
  readonly fake: FakeReceiver
  readonly spec: SpecReceiver
}

/** The core and the simple telling of it disagree, or a port's rule was broken. */
export class ModelFailure extends Error {
  constructor(seed: number, step: number, last: readonly string[], cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${seed}, step ${step}: ${why}\nlast steps:\n  ${last.join('\n  ')}`, { cause })
    this.name = 'ModelFailure'
  }
}

/** Takes `steps` random steps, in worlds of some hundred steps each. Throws a `ModelFailure` at the first difference. */
export function runModel(core: Core, seed: number, steps: number, seen: Seen = newSeen()): void {
  const random = new Random(seed)
  let step = 0
  while (step < steps) {
    const world = new World(core, random, seen)
    try {
      const until = Math.min(steps, step + random.between(200, 1000))
      for (; step < until; step++) world.step()
      world.finish()
    } catch (cause) {
      throw new ModelFailure(seed, step, world.history.slice(-16), cause)
    }
  }
}

class World {
  /** What was done, for whoever has to find out. */
  readonly history: string[] = []
  readonly #bench: Bench
  readonly #spec = new Spec(LIMITS)
  readonly #maxSlabs: number
  /** How many receivers most sides ask for on each name. */
  readonly #usualN: readonly number[]
  /** How many percent of the sides have a limit of their own: few in most worlds, which would end too early otherwise. */
  readonly #strict: number
  /** Sides that are part of a pipe. */
  #senders: Sender[] = []
  #receivers: Receiver[] = []
  /** Sides that were: late calls of theirs must do nothing. */
  readonly #pastSenders: Sender[] = []
  readonly #pastReceivers: Receiver[] = []
  /** How many of the observer's lines have been compared. */
  #told = 0

  constructor(
    core: Core,
    readonly random: Random,
    readonly seen: Seen,
  ) {
    // In some worlds memory is so short that slabs run out.
    this.#maxSlabs = random.chance(30) ? random.between(4, 16) : 64
    this.#bench = new Bench({ limits: LIMITS, slabBytes: SLAB_BYTES, maxSlabs: this.#maxSlabs, roomy: true, core })
    this.#strict = random.chance(20) ? 40 : 1
    this.#usualN = KEYS.map(() => random.between(1, 3))
  }

  step(): void {
    const die = this.random.below(1000)
    if (die < 70) this.#joinSender()
    else if (die < 190) this.#joinReceiver()
    else if (die < 490) this.#feed()
    else if (die < 500) this.#senderOpens()
    else if (die < 740) this.#drain()
    else if (die < 775) this.#endBody()
    else if (die < 825) this.#handOn()
    else if (die < 840) this.#arrive()
    else if (die < 865) this.#receiverLeaves()
    else if (die < 875) this.#senderLeaves()
    else if (die < 879) this.#bodyBreaks()
    else if (die < 960) this.#turn()
    else if (die < 965) this.#quietTime()
    else if (die < 995) this.#lateCall()
    else if (die < 998) this.#stop()
    else this.#close()
    this.#compare()
  }

  /** Ends the world, and sees that nothing is left of it. */
  finish(): void {
    const reason: EndReason = this.random.chance(50) ? 'shutting_down' : 'fault'
    this.#note(`endAll ${reason}`)
    this.#bench.table.endAll(reason)
    this.#spec.endAll(reason)
    this.#compare()
    for (let i = 0; i < 5; i++) this.#lateCall()
    this.#turn()
    this.#compare()
    this.#bench.assertEmpty()
  }

  // --- steps

  #joinSender(): void {
    const { random } = this
    const [key, n] = this.#place()
    const headLater = random.chance(5)
    const length = !headLater && random.chance(30) ? random.between(0, 600) : undefined
    const expectedBytes = random.chance(20) ? random.between(0, 600) : undefined
    const stallMs = random.chance(50) ? random.between(1500, 3500) : 0
    const waitMs = random.between(300, 15_000)
    const limits = this.#limits()
    const own = JSON.stringify(limits)
    this.#note(
      `sender joins ${key}, n=${n} length=${headLater ? 'later' : length} stall=${stallMs} wait=${waitMs} limits=${own}`,
    )
    const expected = this.#spec.refusal(key, n, 'sender')
    const hint = expectedBytes && { expectedBytes }
    const fake = this.#bench.trySender(key, { n, length, headLater, waitMs, stallMs, limits, ...hint })
    if (fake instanceof this.#bench.core.Refusal) {
      this.#refused(fake.failure.code, expected)
      return
    }
    assert.equal('accepted', expected ?? 'accepted')
    const spec = new SpecSender(
      fake.endpoint.options.transferId,
      length,
      expectedBytes || undefined,
      stallMs,
      limits,
      !headLater,
    )
    this.#spec.joinSender(key, n, spec, waitMs)
    this.#senders.push({ fake, spec })
  }

  #joinReceiver(): void {
    const { random } = this
    const [key, n] = this.#place()
    const room = random.chance(30) ? Number.POSITIVE_INFINITY : random.below(300)
    const finishesAtOnce = random.chance(50)
    const lags = random.chance(30)
    const waitMs = random.between(300, 15_000)
    const limits = this.#limits()
    const own = JSON.stringify(limits)
    this.#note(`receiver joins ${key}, n=${n} room=${room} at once=${finishesAtOnce} wait=${waitMs} limits=${own}`)
    const expected = this.#spec.refusal(key, n, 'receiver')
    const fake = this.#bench.tryReceiver(key, { n, waitMs, room, finishesAtOnce, lags, limits })
    if (fake instanceof this.#bench.core.Refusal) {
      this.#refused(fake.failure.code, expected)
      return
    }
    assert.equal('accepted', expected ?? 'accepted')
    const spec = new SpecReceiver(room, finishesAtOnce, lags, limits)
    this.#spec.joinReceiver(key, n, spec, waitMs)
    this.#receivers.push({ fake, spec })
  }

  #refused(code: string, expected: string | undefined): void {
    assert.equal(code, expected ?? 'accepted')
    count(this.seen.refusals, code)
  }

  /** A name, and how many receivers to ask for there: mostly what others ask for. */
  #place(): [key: string, n: number] {
    const i = this.random.below(KEYS.length)
    return [KEYS[i]!, this.random.chance(95) ? this.#usualN[i]! : this.random.between(1, 3)]
  }

  /** What a side is held to. */
  #limits(): SideLimits {
    const { random } = this
    return {
      ...(random.chance(this.#strict) && { maxBytes: random.below(600) }),
      ...(random.chance(this.#strict) && { totalMs: random.between(0, 9000) }),
    }
  }

  #stop(): void {
    const key = this.random.pick(KEYS)!
    this.#note(`stop ${key}`)
    assert.equal(this.#bench.table.stop(key, STOPPED), this.#spec.stop(key), `a pipe on ${key} to stop`)
  }

  #feed(): void {
    const sender = this.random.pick(this.#senders.filter(({ spec }) => spec.opened && !spec.bodyDone))
    // A transport delivers what it had read before it was paused, so a paused source feeds too, but rarely.
    if (sender === undefined || (sender.fake.source.paused && !this.random.chance(12))) return
    let length = this.random.chance(70) ? this.random.between(1, 60) : this.random.between(1, 300)
    // The limits are lines, so step on them and just beside them more often than chance would.
    const limit = this.random.chance(50) ? LIMITS.windowBytes : LIMITS.holdBytes
    const toLimit = limit - (sender.spec.pipe?.behind ?? 0) + this.random.between(-1, 1)
    if (toLimit > 0 && this.random.chance(8)) length = toLimit
    const missing = (sender.spec.length ?? Number.POSITIVE_INFINITY) - sender.fake.fed
    const allowed = (sender.spec.pipe?.maxBytes ?? Number.POSITIVE_INFINITY) - sender.fake.fed + this.random.below(2)
    if (allowed > 0 && allowed < length && this.random.chance(50)) length = allowed
    // Most senders keep to the length that they announced.
    if (missing > 0 && missing < length && this.random.chance(90)) length = missing
    this.#feedThis(sender, length)
  }

  #feedThis({ fake, spec }: Sender, length: number): void {
    this.#note(`${spec.id} feeds ${length}`)
    const slabs = this.#bench.slabs.inUse
    const { fanOut } = fake.endpoint
    const { held } = fanOut
    fake.feed(length)
    this.#spec.feed(spec, length)
    if (held === 0 && spec.pipe !== undefined && fake.source.ended === undefined) {
      assert.equal(fanOut.held, spec.pipe.behind, 'kept of the first piece that is kept')
    }
    if (spec.pipe !== undefined && fake.source.ended === 'overflow') {
      const needed = slabs + Math.ceil(length / SLAB_BYTES)
      assert.ok(needed > this.#maxSlabs, `overflow, although ${needed} slabs at most were needed`)
      this.#spec.overflow(spec)
    }
  }

  #drain(): void {
    const receiver = this.random.pick(this.#receivers)
    if (receiver === undefined) return
    this.#drainThis(receiver, this.random.chance(25) ? Number.POSITIVE_INFINITY : this.random.below(200))
  }

  #drainThis({ fake, spec }: Receiver, room: number): void {
    this.#note(`${this.#nameOf(fake)} drains, room ${room}`)
    fake.drain(room)
    this.#spec.drain(spec, room)
  }

  #endBody(): void {
    const sender = this.random.pick(this.#senders.filter(({ spec }) => spec.opened && !spec.bodyDone))
    if (sender === undefined) return
    const { fake, spec } = sender
    const missing = spec.length === undefined ? 0 : spec.length - fake.fed
    if (missing > 0 && this.random.chance(70)) this.#feedThis(sender, missing)
    this.#note(`${spec.id} ends its body`)
    fake.end()
    this.#spec.endBody(spec)
  }

  #handOn(): void {
    const receiver = this.random.pick(this.#receivers.filter(({ spec }) => spec.finishCalled && !spec.finished))
    if (receiver === undefined) return
    this.#note(`${this.#nameOf(receiver.fake)} hands on its last byte`)
    receiver.fake.handOn()
    this.#spec.handOn(receiver.spec)
  }

  /** Some of what is on its way gets there. */
  #arrive(): void {
    const receiver = this.random.pick(this.#receivers.filter(({ spec }) => spec.inFlight > 0))
    if (receiver === undefined) return
    const bytes = this.random.between(1, receiver.spec.inFlight)
    this.#note(`${bytes} bytes reach ${this.#nameOf(receiver.fake)}`)
    receiver.fake.sink.inFlight -= bytes
    receiver.spec.inFlight -= bytes
  }

  #receiverLeaves(): void {
    const receiver = this.random.pick(this.#receivers)
    if (receiver === undefined) return
    this.#note(`${this.#nameOf(receiver.fake)} leaves`)
    receiver.fake.leave()
    this.#spec.receiverLeaves(receiver.spec)
  }

  #senderLeaves(): void {
    const sender = this.random.pick(this.#senders)
    if (sender === undefined) return
    this.#note(`${sender.spec.id} leaves`)
    sender.fake.leave()
    this.#spec.senderLeaves(sender.spec)
  }

  #bodyBreaks(): void {
    const sender = this.random.pick(this.#senders)
    if (sender === undefined) return
    const reason = this.random.pick(['broken_body', 'broken_form', 'empty_form'] as const)!
    this.#note(`${sender.spec.id}: ${reason}`)
    sender.fake.endpoint.broken(reason)
    this.#spec.bodyBreaks(sender.spec, reason)
  }

  #senderOpens(): void {
    const sender = this.random.pick(this.#senders.filter(({ spec }) => !spec.opened))
    if (sender === undefined) return
    const length = this.random.chance(30) ? this.random.between(0, 600) : undefined
    this.#note(`${sender.spec.id} says its head, length=${length}`)
    sender.fake.open(length)
    this.#spec.open(sender.spec, length)
  }

  #turn(ms = this.random.chance(97) ? this.random.between(1, 600) : this.random.between(600, 9000)): void {
    this.#note(`${ms} ms pass`)
    this.#bench.turn(ms)
    this.#spec.turn(ms)
  }

  /** Nobody calls for a while, except perhaps one: this is where idle and stalled transfers are found. */
  #quietTime(): void {
    const awake = this.random.chance(50) ? this.random.pick(this.#receivers) : undefined
    for (let beats = this.random.between(2, 8); beats > 0; beats--) {
      if (awake?.spec.pipe !== undefined && awake.spec.present) this.#drainThis(awake, this.random.below(4))
      this.#turn(1000)
      this.#compare()
    }
  }

  /** A side that is no longer part of a pipe calls: nothing may happen, and the fakes object to any answer. */
  #lateCall(): void {
    const sender = this.random.pick(this.#pastSenders)
    const receiver = this.random.pick(this.#pastReceivers)
    const die = this.random.below(7)
    this.#note(`late call ${die} of ${sender?.spec.id} or ${receiver && this.#nameOf(receiver.fake)}`)
    if (die === 0) sender?.fake.feed(this.random.between(1, 100))
    else if (die === 1) sender?.fake.end()
    else if (die === 2) sender?.fake.endpoint.left()
    else if (die === 3) receiver?.fake.drain()
    else if (die === 4) receiver?.fake.endpoint.finished()
    else if (die === 5) sender?.fake.open(sender.spec.length)
    else receiver?.fake.leave()
    if (sender !== undefined) same(sender.fake.source.news, sender.spec.log, sender.spec.id)
    if (receiver !== undefined) same(receiver.fake.sink.log, receiver.spec.log, 'late sink')
  }

  #close(): void {
    // A closed table is a dull one: not in every world, and not early.
    if (this.history.length < 200 || this.#spec.closed) return
    this.#note('close')
    this.#bench.table.close()
    this.#spec.close()
  }

  // --- comparing

  #compare(): void {
    const { table, clock, slabs } = this.#bench
    this.#compareObserver()
    for (const sender of this.#senders) this.#compareSender(sender)
    for (const receiver of this.#receivers) this.#compareReceiver(receiver)
    this.#compareViews()
    assert.equal(table.waiting, this.#spec.waiting, 'waiting pipes')
    assert.equal(table.streaming, this.#spec.streaming, 'streaming pipes')
    assert.equal(clock.size, this.#spec.timers, 'outstanding deadlines')
    let mostSlabs = 0
    for (const { behind } of this.#spec.pipes.values()) if (behind > 0) mostSlabs += Math.ceil(behind / SLAB_BYTES) + 1
    assert.ok(slabs.inUse <= mostSlabs, `${slabs.inUse} slabs in use, ${mostSlabs} at most are needed`)
    this.#bury()
  }

  #compareObserver(): void {
    const { told } = this.#bench.observer
    const { events } = this.#spec
    for (; this.#told < told.length || this.#told < events.length; this.#told++) {
      const entry = told[this.#told]
      assert.equal(entry && lineOf(entry), events[this.#told], 'what the observer is told')
      if (entry?.reason !== undefined) count(this.seen.reasons, entry.reason)
    }
  }

  #compareSender({ fake: { source, endpoint }, spec }: Sender): void {
    same(source.news, spec.log, spec.id)
    const { pipe } = spec
    if (pipe === undefined) return
    assert.equal(source.paused, spec.paused, `${spec.id}: paused`)
    const { held } = endpoint.fanOut
    assert.ok(held >= pipe.behind && (held === 0) === (pipe.behind === 0), `${spec.id}: ${held} bytes held`)
    if (spec.bodyDone || pipe.state === 'waiting') return
    // Said a second time, straight from the contract, so that a mistake in the telling cannot hide one in the core.
    if (pipe.behind >= LIMITS.windowBytes) assert.ok(source.paused, `${spec.id} is a window ahead and not paused`)
    const hungry = pipe.here.some((receiver) => !receiver.full)
    const half = LIMITS.windowBytes / 2
    if (pipe.behind <= half && hungry) assert.ok(!source.paused, `${spec.id} is paused although somebody can take more`)
  }

  #compareReceiver({ fake, spec }: Receiver): void {
    const { sink } = fake
    const name = this.#nameOf(fake)
    same(sink.log, spec.log, name)
    assert.equal(sink.received, spec.taken, `${name}: bytes taken`)
    assert.equal(sink.full, spec.full, `${name}: full`)
    if (!sink.finishCalled) return
    const sender = [...this.#senders, ...this.#pastSenders].find(({ fake }) => fake.stream === sink.stream)
    assert.equal(sink.received, sender?.fake.fed, `${name} was finished without all bytes`)
  }

  #compareViews(): void {
    for (const key of KEYS) {
      const view = this.#bench.table.get(key)
      const pipe = this.#spec.pipes.get(key)
      assert.equal(view?.state, pipe?.state, `state of ${key}`)
      if (view === undefined || pipe === undefined) continue
      const { sender } = pipe
      assert.equal(view.receiversWanted, pipe.n)
      assert.equal(view.receiversPresent, pipe.here.length, `receivers of ${key}`)
      assert.equal(view.hasSender, sender !== undefined, `sender of ${key}`)
      assert.equal(view.transferId, sender?.id ?? '')
      assert.equal(view.bytesIn, sender?.bytesIn ?? 0, `bytesIn of ${key}`)
      assert.equal(view.bytesOut, pipe.bytesOut, `bytesOut of ${key}`)
      assert.equal(view.expectedBytes, sender?.length ?? sender?.expectedBytes)
      assert.equal(view.endReason, undefined)
    }
  }

  /** Sides that left or ended can only make late calls from now on. */
  #bury(): void {
    for (const sender of this.#senders) if (sender.spec.pipe === undefined) this.#pastSenders.push(sender)
    this.#senders = this.#senders.filter(({ spec }) => spec.pipe !== undefined)
    const isHere = ({ spec, fake }: Receiver): boolean => spec.pipe !== undefined && spec.present && !fake.sink.deaf
    for (const receiver of this.#receivers) if (!isHere(receiver)) this.#pastReceivers.push(receiver)
    this.#receivers = this.#receivers.filter(isHere)
    this.#pastSenders.splice(0, this.#pastSenders.length - 12)
    this.#pastReceivers.splice(0, this.#pastReceivers.length - 12)
  }

  #note(what: string): void {
    this.history.push(what)
  }

  #nameOf(receiver: FakeReceiver): string {
    const all = [...this.#receivers, ...this.#pastReceivers]
    return `receiver of ${receiver.endpoint.pipe.key} (${all.findIndex(({ fake }) => fake === receiver)})`
  }
}

function lineOf({ event, key, reason, bytesIn, bytesOut }: Told): string {
  return event === 'ended' ? `ended ${key} ${reason} ${bytesIn} ${bytesOut}` : `${event} ${key}`
}

/** Compares two logs without building anything: this runs for every side after every step. */
function same(actual: readonly string[], expected: readonly string[], whose: string): void {
  let equal = actual.length === expected.length
  for (let i = 0; equal && i < actual.length; i++) equal = actual[i] === expected[i]
  if (!equal) assert.fail(`${whose} was told [${actual.join(', ')}], expected [${expected.join(', ')}]`)
}
