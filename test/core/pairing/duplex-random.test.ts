/**
 * Random steps on duplex pipes: whole peers and parts come, talk, stall, end, break, close and vanish, and time passes. After each
 * step both sides of each direction must agree on how it ended, and at the end nothing may be left.
 */
import assert from 'node:assert/strict'
import t from 'tap'
import { type DuplexLetter, Refusal } from '../../../core/index.js'
import { Random } from '../../model/random.js'
import { amount } from '../../support/thorough.js'
import { Bench } from '../fakes/bench.js'
import { FakePeer, tryPeer } from '../fakes/peer.js'
import { FakeReceiver, FakeSender } from '../fakes/sides.js'
import { FakeSink } from '../fakes/sink.js'

const NAMES = ['a', 'b']

/** Somebody on a name, and what has become of them. */
class Guest {
  /** Nothing more is said, and all that was said counts. */
  saidAll = false
  left = false

  constructor(
    readonly name: string,
    readonly who: FakePeer | FakeSender | FakeReceiver,
    readonly letter: DuplexLetter | undefined,
  ) {}

  get sender(): FakeSender | undefined {
    return this.who instanceof FakeSender ? this.who : undefined
  }

  get sink(): FakeSink | undefined {
    return this.who instanceof FakeReceiver || this.who instanceof FakePeer ? this.who.sink : undefined
  }

  get isTold(): boolean {
    const { sender, sink } = this
    return (sender === undefined || sender.source.ended !== undefined) && (sink === undefined || isOver(sink))
  }
}

const isOver = (sink: FakeSink) => sink.finished || sink.aborted !== undefined || sink.refused !== undefined

class World {
  readonly bench = new Bench({ limits: { maxWaiting: 20, maxActive: 20, idleMs: 20_000 }, maxSlabs: 256 })
  readonly guests: Guest[] = []
  readonly seen = new Map<string, number>()

  constructor(readonly random: Random) {}

  step(): void {
    const { random, bench } = this
    const guest = this.#anybody()
    const what = random.below(20)
    if (what < 4) this.#come()
    else if (what === 4) bench.pass(random.below(8000))
    else if (what === 5 && random.below(20) === 0) bench.table.stop(NAMES[random.below(2)]!, STOPPED)
    else if (guest !== undefined) this.#act(guest, what)
    for (const name of NAMES) this.#check(name)
  }

  #anybody(): Guest | undefined {
    const here = this.guests.filter(({ left }) => !left)
    return here[this.random.below(Math.max(1, here.length))]
  }

  #come(): void {
    const { random, bench } = this
    const name = NAMES[random.below(2)]!
    const letter = ([undefined, undefined, 'a', 'b'] as const)[random.below(4)]
    const room = random.below(3) === 0 ? random.below(200) : Number.POSITIVE_INFINITY
    const sink = new FakeSink(room, random.below(4) > 0)
    const waitMs = 1000 * (1 + random.below(30))
    const isSender = random.below(2) === 0
    const here = bench.table.get(name)?.duplex?.peers ?? 0
    const who =
      letter === undefined
        ? tryPeer(bench, name, { sink, waitMs, stallMs: random.below(2) * 5000 })
        : isSender
          ? bench.trySender(name, { letter, waitMs })
          : bench.tryReceiver(name, { letter, waitMs, sink })
    if (!(who instanceof Refusal)) {
      this.#count(here === 0 ? 'first' : 'second')
      this.guests.push(new Guest(name, who, letter))
      return
    }
    this.#count(who.failure.code)
    if (letter === undefined && who.failure.code === 'PEERS_FULL') assert.equal(here, 2, 'refused, and there is a place')
  }

  #act(guest: Guest, what: number): void {
    const { random } = this
    const { sender, sink, who } = guest
    if (what < 12) {
      if (sender === undefined || guest.saidAll || sender.source.ended !== undefined) return
      if (!sender.source.paused || random.below(4) === 0) sender.feed(1 + random.below(100))
      return
    }
    if (what < 15) {
      if (sink === undefined || isOver(sink)) return
      if (sink.finishCalled) (who instanceof FakePeer ? handOn : (each: FakeReceiver) => each.handOn())(who as never)
      else if (sink.full) (who as FakePeer | FakeReceiver).drain(random.below(2) === 0 ? random.below(300) + 1 : undefined)
      return
    }
    if (what < 18) {
      if (sender === undefined || guest.saidAll || sender.source.ended !== undefined) return
      guest.saidAll = true
      this.#count('end')
      sender.end()
      return
    }
    if (guest.isTold) return
    if (what === 18 && who instanceof FakePeer) {
      guest.left = true
      // It counts only if the other one was there to hear it.
      guest.saidAll ||= this.bench.table.get(guest.name)?.state === 'streaming'
      this.#count('close')
      if (sink !== undefined && !isOver(sink)) sink.disconnected = true
      who.peer.close()
      return
    }
    if (random.below(3) > 0) return
    guest.left = true
    this.#count('leave')
    if (sender === undefined) (who as FakeReceiver).leave()
    else if (who instanceof FakePeer && isOver(who.sink)) who.endpoint.left()
    else sender.leave()
  }

  /** What every moment has to satisfy. */
  #check(name: string): void {
    for (const { who, sink, left } of this.guests) {
      const { aborted } = sink ?? {}
      assert.ok(aborted !== 'complete' && aborted !== 'peer_closed', `what ends in order was cut: ${aborted}`)
      if (!(who instanceof FakePeer) || left) continue
      const { ended } = who.source
      if (aborted !== undefined) assert.ok(ended, 'a peer that hears no more talks on')
      if (ended !== undefined && ended !== 'complete' && ended !== 'peer_closed') {
        assert.ok(isOver(who.sink), `a peer that was cut (${ended}) hears on`)
      }
    }
    const here = this.guests.filter((guest) => guest.name === name && !guest.isTold && !guest.left)
    const pipe = this.bench.table.get(name)
    if (here.length > 0) assert.notEqual(pipe, undefined, 'somebody has not been told, and the name is free')
    if (pipe === undefined) return
    assert.ok((pipe.duplex?.peers ?? 0) <= 2)
    assert.ok((pipe.duplex?.peers ?? 0) >= 1, 'a name with nobody on it')
  }

  #count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1)
  }

  /** Each receiver has a beginning of what its sender said; all of it, if it was told so. */
  settle(): void {
    this.bench.table.close()
    this.bench.table.endAll('shutting_down')
    const senders = new Map(this.guests.flatMap((guest) => (guest.sender ? [[guest.sender.stream, guest] as const] : [])))
    for (const guest of this.guests) {
      const { sink } = guest
      if (sink === undefined || sink.head === undefined) continue
      const from = senders.get(sink.stream)!
      assert.ok(sink.received <= from.sender!.fed)
      if (!sink.finished && !sink.finishCalled) continue
      assert.ok(from.saidAll, 'an end, and its sender has not said so')
      assert.equal(sink.received, from.sender!.fed, 'an end that is not the end')
      this.#count('heard all')
    }
    for (const { left, isTold, who } of this.guests) {
      if (!left) assert.ok(isTold, `nobody was told: ${JSON.stringify((who as FakeSender).source?.log)}`)
    }
    this.bench.assertEmpty()
  }
}

const STOPPED = { code: 'STOPPED_HERE', status: 403, message: 'No more.', hint: '' }

function handOn({ sink, peer }: FakePeer): void {
  sink.finished = true
  peer.receiver.finished()
}

t.test('random steps', async (t) => {
  const total = new Map<string, number>()
  for (let seed = 1; seed <= amount(300, 20_000); seed++) {
    const world = new World(new Random(seed))
    try {
      for (let step = 0; step < 200; step++) world.step()
      world.settle()
    } catch (error) {
      t.fail(`seed ${seed}: ${(error as Error).message}`, { found: (error as Error).stack })
      if (seed > 20) break
    }
    for (const [what, times] of world.seen) total.set(what, (total.get(what) ?? 0) + times)
  }
  for (const what of ['first', 'second', 'PEERS_FULL', 'PART_TAKEN', 'end', 'close', 'leave', 'heard all']) {
    t.ok((total.get(what) ?? 0) > 100, `${what}: ${total.get(what)} times`)
  }
})
