import assert from 'node:assert/strict'
import type { EndReason, Failure, SideLimits } from '../../core/index.js'
import { Bench, type Core } from '../core/fakes/bench.js'
import { Comparison, same } from './comparison.js'
import { type Coverage, count } from './coverage.js'
import { KEYS, LIMITS, SLAB_BYTES, TURN } from './limits.js'
import type { Random } from './random.js'
import { type Receiver, type Sender, Sides } from './sides.js'
import { type Place, Spec } from './spec.js'
import { type SpecPipe, SpecReceiver, SpecSender } from './spec-pipe.js'

const STOPPED: Failure = { code: 'STOPPED', status: 409, message: 'Stopped.', hint: 'Try again.' }

/** One table with sides that take random steps, on the core and on the specification alike. */
export class World {
  /** What was done, to explain a failure. */
  readonly history: string[] = []
  readonly #bench: Bench
  readonly #spec = new Spec(LIMITS)
  readonly #maxSlabs: number
  /** What most sides ask for on each name. */
  readonly #usual: readonly Place[]
  /** How many percent of the sides have a limit of their own: few in most worlds, which would end too early otherwise. */
  readonly #strict: number
  readonly #sides = new Sides()
  readonly #comparison: Comparison

  constructor(
    core: Core,
    readonly random: Random,
    readonly coverage: Coverage,
  ) {
    // In some worlds memory is so short that slabs run out.
    this.#maxSlabs = random.chance(30) ? random.between(4, 16) : 64
    const memory = { slabBytes: SLAB_BYTES, maxSlabs: this.#maxSlabs, roomy: true }
    this.#bench = new Bench({ limits: LIMITS, ...memory, turn: [...TURN], core })
    this.#comparison = new Comparison(this.#bench, this.#spec, this.#sides, coverage)
    this.#strict = random.chance(20) ? 40 : 1
    this.#usual = KEYS.map(() => this.#anyPlace())
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
    else if (die < 997) this.#stop()
    else if (die < 998) this.#look()
    else this.#close()
    this.#compare()
  }

  /** Ends the world, and asserts that nothing is left of it. */
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
    const [key, place] = this.#place()
    const { kind, n } = place
    const headLater = random.chance(5)
    const length = !headLater && random.chance(45) ? this.#length() : undefined
    const expectedBytes = random.chance(20) ? random.between(0, 600) : undefined
    const stallMs = random.chance(50) ? random.between(1500, 3500) : 0
    const waitMs = random.between(300, 15_000)
    const limits = this.#limits()
    const onlyIfAwaited = random.chance(5)
    const own = JSON.stringify({ ...limits, onlyIfAwaited })
    this.#note(
      `sender joins ${key}, ${kind} n=${n} length=${headLater ? 'later' : length} stall=${stallMs} wait=${waitMs} limits=${own}`,
    )
    const hint = expectedBytes && { expectedBytes }
    const id = `transfer-${this.#bench.streams}`
    const spec = new SpecSender(id, length, expectedBytes || undefined, stallMs, limits, !headLater)
    spec.setAside = this.#mayBring(key, n, spec)
    spec.live = { slow: random.chance(40) ? 'hold' : 'cut', lagBytes: random.between(1, 500) }
    const expected = this.#spec.refusal(key, place, spec, onlyIfAwaited) ?? this.#memoryRefusal(spec)
    const ofKind = kind === 'live' ? { live: spec.live } : {}
    const common = { n, length, headLater, waitMs, stallMs, limits, onlyIfAwaited }
    const fake = this.#bench.trySender(key, { ...common, ...ofKind, ...hint })
    if (fake instanceof this.#bench.core.Refusal) {
      this.#refused(fake.failure.code, expected)
      return
    }
    assert.equal('accepted', expected ?? 'accepted')
    this.#spec.joinSender(key, place, spec, waitMs)
    this.#sides.senders.push({ fake, spec })
  }

  /** What a sender may bring before it is paused: nothing that has to be kept if its receivers are there. */
  #mayBring(key: string, n: number, { opened, length }: SpecSender): number {
    if (opened && (this.#spec.pipes.get(key)?.receivers.length ?? 0) >= n) return 0
    return Math.min(opened ? (length ?? SLAB_BYTES) : SLAB_BYTES, SLAB_BYTES)
  }

  /** Half of the memory is for those who wait: what is held, and what they may still bring. */
  #memoryRefusal({ setAside }: SpecSender): string | undefined {
    const waiting = this.#sides.senders.filter(({ spec }) => spec.pipe?.state === 'waiting' && spec.bytesIn === 0)
    const all = waiting.reduce((sum, { spec }) => sum + spec.setAside, this.#bench.slabs.heldBytes + setAside)
    return setAside > 0 && all > (this.#maxSlabs * SLAB_BYTES) / 2 ? 'NO_MEMORY' : undefined
  }

  /** A length to announce. */
  #length(): number {
    return this.random.chance(8) ? 0 : this.random.between(0, 600)
  }

  #joinReceiver(): void {
    const { random } = this
    const [key, place] = this.#place()
    const { kind, orLive } = place
    const n = kind === 'live' ? 0 : place.n
    const room = random.chance(30) ? Number.POSITIVE_INFINITY : random.below(300)
    const finishesAtOnce = random.chance(50)
    const lags = random.chance(30)
    const waitMs = random.between(300, 15_000)
    const limits = this.#limits()
    const offset = this.#offset(key)
    const last = offset === undefined ? undefined : this.#last(key, offset)
    const onlyIfAwaited = random.chance(5)
    const own = JSON.stringify({ ...limits, offset, last, onlyIfAwaited })
    this.#note(
      `receiver joins ${key}, ${kind} n=${n} or live=${orLive} room=${room} at once=${finishesAtOnce} wait=${waitMs} ${own}`,
    )
    const spec = new SpecReceiver(room, finishesAtOnce, lags, limits, offset, last)
    const wanted = { kind, n, orLive }
    const expected = this.#spec.refusal(key, wanted, spec, onlyIfAwaited)
    const ofKind = kind === 'live' ? { live: {} } : { orLive }
    const options = { n, waitMs, room, finishesAtOnce, lags, limits, offset, last, onlyIfAwaited, ...ofKind }
    const fake = this.#bench.tryReceiver(key, options)
    if (fake instanceof this.#bench.core.Refusal) {
      this.#refused(fake.failure.code, expected)
      return
    }
    assert.equal('accepted', expected ?? 'accepted')
    const { sink } = fake
    spec.mayTake = () => (sink.postponed ? sink.received : Number.POSITIVE_INFINITY)
    this.#spec.joinReceiver(key, wanted, spec, waitMs)
    this.#sides.receivers.push({ fake, spec })
  }

  /** Where a receiver wants to begin: often at the end of the stream that waits there, or beside it. */
  #offset(key: string): number | undefined {
    const { random } = this
    if (!random.chance(30)) return undefined
    const length = this.#spec.pipes.get(key)?.sender?.length
    if (length !== undefined && random.chance(50)) return Math.max(0, length - random.between(-1, 2))
    return random.between(0, length ?? 400)
  }

  /** Where it wants to end: seldom anywhere but at the end, and then often beside it. */
  #last(key: string, offset: number): number | undefined {
    const { random } = this
    if (random.chance(80)) return undefined
    const length = this.#spec.pipes.get(key)?.sender?.length ?? random.between(0, 600)
    return Math.max(offset, length - random.between(-1, 3))
  }

  #refused(code: string, expected: string | undefined): void {
    assert.equal(code, expected ?? 'accepted')
    count(this.coverage.refusals, code)
  }

  /** A name, and what to ask for there: mostly what others ask for. */
  #place(): [key: string, place: Place] {
    const i = this.random.below(KEYS.length)
    const place = this.random.chance(95) ? this.#usual[i]! : this.#anyPlace()
    return [KEYS[i]!, { ...place, orLive: this.random.chance(20) }]
  }

  #anyPlace(): Place {
    const { random } = this
    if (random.chance(30)) return { kind: 'live', n: random.chance(60) ? 0 : random.between(1, 2), orLive: false }
    return { kind: 'pipe', n: random.between(1, 3), orLive: false }
  }

  /** The limits that a side brings. */
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

  /** Somebody looks at a name, a few times. */
  #look(): void {
    const key = this.random.pick(KEYS)!
    for (let times = this.random.between(1, 15); times > 0; times--) {
      this.#note(`somebody looks at ${key}`)
      this.#bench.table.looked(key)
      this.#spec.looked(key)
    }
  }

  #feed(): void {
    const sender = this.random.pick(this.#sides.senders.filter(({ spec }) => spec.opened && !spec.bodyDone))
    // A transport delivers what it had read before it was paused, so a paused source feeds too, but rarely.
    if (sender === undefined || (sender.fake.source.paused && !this.random.chance(12))) return
    let length = this.random.chance(70) ? this.random.between(1, 60) : this.random.between(1, 300)
    // Hit the limits exactly, and miss them by one, more often than chance would.
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
    const { heldBytes } = this.#bench.slabs
    const { fanOut } = fake.endpoint
    const { held } = fanOut
    fake.feed(length)
    this.#spec.feed(spec, length)
    if (spec.pipe?.kind === 'live') this.#adoptCuts(spec.pipe, heldBytes + length)
    if (held === 0 && spec.pipe?.kind === 'pipe' && spec.pipe !== undefined && fake.source.ended === undefined) {
      assert.equal(fanOut.held, spec.pipe.behind, 'kept of the first piece that is kept')
    }
    if (spec.pipe !== undefined && fake.source.ended === 'overflow') {
      // A crowd may take memory for the longest read when it needs but half of that.
      const slabs = Math.ceil(length / SLAB_BYTES) + (spec.pipe.n > 1 ? 7 : 0)
      const needed = heldBytes + slabs * SLAB_BYTES
      assert.ok(needed > this.#maxSlabs * SLAB_BYTES, `overflow, although ${needed} bytes at most were needed`)
      this.#spec.overflow(spec)
    }
  }

  /** When the memory is used up, who is furthest behind a live stream is cut: the specification knows no memory. */
  #adoptCuts(pipe: SpecPipe, needed: number): void {
    for (;;) {
      const isCut = ({ fake, spec }: Receiver): boolean =>
        spec.pipe === pipe && spec.present && fake.sink.aborted === 'fell_behind'
      const cut = this.#sides.receivers.filter(isCut).sort((a, b) => a.spec.at - b.spec.at)
      if (cut.length === 0) break
      const slack = 16 * SLAB_BYTES
      assert.ok(needed + slack > this.#maxSlabs * SLAB_BYTES, `a viewer was cut, although ${needed} bytes were needed`)
      const furthest = Math.min(...pipe.here.map(({ at }) => at))
      assert.equal(cut[0]!.spec.at, furthest, 'who is furthest behind is cut first')
      this.#spec.cutBehind(cut[0]!.spec)
    }
  }

  #drain(): void {
    const receiver = this.random.pick(this.#sides.receivers)
    if (receiver === undefined) return
    this.#drainThis(receiver, this.random.chance(25) ? Number.POSITIVE_INFINITY : this.random.below(200))
  }

  #drainThis({ fake, spec }: Receiver, room: number): void {
    this.#note(`${this.#sides.nameOf(fake)} drains, room ${room}`)
    fake.drain(room)
    this.#spec.drain(spec, room)
  }

  #endBody(): void {
    const sender = this.random.pick(this.#sides.senders.filter(({ spec }) => spec.opened && !spec.bodyDone))
    if (sender === undefined) return
    const { fake, spec } = sender
    const missing = spec.length === undefined ? 0 : spec.length - fake.fed
    if (missing > 0 && this.random.chance(70)) this.#feedThis(sender, missing)
    this.#note(`${spec.id} ends its body`)
    fake.end()
    this.#spec.endBody(spec)
  }

  #handOn(): void {
    const receiver = this.random.pick(this.#sides.receivers.filter(({ spec }) => spec.finishCalled && !spec.finished))
    if (receiver === undefined) return
    this.#note(`${this.#sides.nameOf(receiver.fake)} hands on its last byte`)
    receiver.fake.handOn()
    this.#spec.handOn(receiver.spec)
  }

  /** Some of the bytes in flight arrive. */
  #arrive(): void {
    const receiver = this.random.pick(this.#sides.receivers.filter(({ spec }) => spec.inFlight > 0))
    if (receiver === undefined) return
    const bytes = this.random.between(1, receiver.spec.inFlight)
    this.#note(`${bytes} bytes reach ${this.#sides.nameOf(receiver.fake)}`)
    receiver.fake.sink.inFlight -= bytes
    receiver.spec.inFlight -= bytes
  }

  #receiverLeaves(): void {
    const receiver = this.random.pick(this.#sides.receivers)
    if (receiver === undefined) return
    this.#note(`${this.#sides.nameOf(receiver.fake)} leaves`)
    receiver.fake.leave()
    this.#spec.receiverLeaves(receiver.spec)
  }

  #senderLeaves(): void {
    const sender = this.random.pick(this.#sides.senders)
    if (sender === undefined) return
    this.#note(`${sender.spec.id} leaves`)
    sender.fake.leave()
    this.#spec.senderLeaves(sender.spec)
  }

  #bodyBreaks(): void {
    const sender = this.random.pick(this.#sides.senders)
    if (sender === undefined) return
    const reason = this.random.pick(['broken_body', 'broken_form', 'empty_form'] as const)!
    this.#note(`${sender.spec.id}: ${reason}`)
    sender.fake.endpoint.broken(reason)
    this.#spec.bodyBreaks(sender.spec, reason)
  }

  #senderOpens(): void {
    const sender = this.random.pick(this.#sides.senders.filter(({ spec }) => !spec.opened))
    if (sender === undefined) return
    const length = this.random.chance(30) ? this.#length() : undefined
    this.#note(`${sender.spec.id} tells its head, length=${length}`)
    sender.fake.open(length)
    this.#spec.open(sender.spec, length)
  }

  #turn(ms = this.random.chance(97) ? this.random.between(1, 600) : this.random.between(600, 9000)): void {
    this.#note(`${ms} ms pass`)
    this.#bench.advance(ms)
    this.#spec.advance(ms)
    this.#bench.turn.begin()
  }

  /** No side calls for a while, except perhaps one: this is how transfers become idle and stalled. */
  #quietTime(): void {
    const awake = this.random.chance(50) ? this.random.pick(this.#sides.receivers) : undefined
    for (let beats = this.random.between(2, 8); beats > 0; beats--) {
      if (awake?.spec.pipe !== undefined && awake.spec.present) this.#drainThis(awake, this.random.below(4))
      this.#turn(1000)
      this.#compare()
    }
  }

  /** A side that is no longer part of a pipe calls: nothing may happen, and the fakes fail on any answer. */
  #lateCall(): void {
    const sender = this.random.pick(this.#sides.pastSenders)
    const receiver = this.random.pick(this.#sides.pastReceivers)
    const die = this.random.below(7)
    this.#note(`late call ${die} of ${sender?.spec.id} or ${receiver && this.#sides.nameOf(receiver.fake)}`)
    if (die === 0) sender?.fake.feed(this.random.between(1, 100))
    else if (die === 1) sender?.fake.end()
    else if (die === 2) sender?.fake.endpoint.left()
    else if (die === 3) receiver?.fake.drain()
    else if (die === 4) receiver?.fake.endpoint.finished()
    else if (die === 5) sender?.fake.open(sender.spec.length)
    else receiver?.fake.leave()
    if (sender !== undefined) same(sender.fake.source.events, sender.spec.log, sender.spec.id)
    if (receiver !== undefined) same(receiver.fake.sink.log, receiver.spec.log, 'late sink')
  }

  #close(): void {
    // Little happens on a closed table: not in every world, and not early.
    if (this.history.length < 200 || this.#spec.closed) return
    this.#note('close')
    this.#bench.table.close()
    this.#spec.close()
  }

  #compare(): void {
    this.#comparison.run()
    if (this.#sides.receivers.some(({ fake }) => fake.sink.postponed)) this.coverage.postponed++
    this.#sides.retire()
  }

  #note(what: string): void {
    this.history.push(what)
  }
}
