/** Compares the core with the specification: what both sides and the observer were told, and what the views show. */
import assert from 'node:assert/strict'
import type { Bench } from '../core/fakes/bench.js'
import type { ObservedEvent } from '../core/fakes/recorder.js'
import { type Coverage, count } from './coverage.js'
import { KEYS, LIMITS, SLAB_BYTES } from './limits.js'
import type { Receiver, Sender, Sides } from './sides.js'
import type { Spec } from './spec.js'

export class Comparison {
  /** How many of the observer's events have been compared. */
  #compared = 0

  constructor(
    readonly bench: Bench,
    readonly spec: Spec,
    readonly sides: Sides,
    readonly coverage: Coverage,
  ) {}

  run(): void {
    const { table, clock, slabs } = this.bench
    this.#compareObserver()
    for (const sender of this.sides.senders) this.#compareSender(sender)
    for (const receiver of this.sides.receivers) this.#compareReceiver(receiver)
    this.#compareViews()
    assert.equal(table.waiting, this.spec.waiting, 'waiting pipes')
    assert.equal(table.streaming, this.spec.streaming, 'streaming pipes')
    assert.equal(clock.size, this.spec.timers, 'outstanding deadlines')
    let mostSlabs = 0
    for (const { behind, n, kind } of [...this.spec.pipes.values(), ...this.spec.resting]) {
      // A crowd has slabs of seven, of which the first and the last may be used in part.
      if (behind > 0) mostSlabs += Math.ceil(behind / SLAB_BYTES) + (n > 1 || kind === 'live' ? 14 : 1)
    }
    assert.equal(table.resting, this.spec.resting.size, 'streams whose rest is on its way')
    assert.equal(table.viewers, this.spec.viewers, 'viewers')
    assert.ok(slabs.inUse <= mostSlabs, `${slabs.inUse} slabs in use, ${mostSlabs} at most are needed`)
  }

  #compareObserver(): void {
    const { observed } = this.bench.observer
    const { events } = this.spec
    for (; this.#compared < observed.length || this.#compared < events.length; this.#compared++) {
      const entry = observed[this.#compared]
      assert.equal(entry && lineOf(entry), events[this.#compared], 'what the observer is told')
      if (entry?.reason !== undefined) count(this.coverage.reasons, entry.reason)
    }
  }

  #compareSender({ fake: { source, endpoint }, spec }: Sender): void {
    same(source.events, spec.log, spec.id)
    const { pipe } = spec
    if (pipe === undefined) return
    assert.equal(source.paused, spec.paused, `${spec.id}: paused`)
    const { held } = endpoint.fanOut
    assert.ok(held >= pipe.behind && (held === 0) === (pipe.behind === 0), `${spec.id}: ${held} bytes held`)
    if (spec.bodyDone || pipe.state === 'waiting') return
    if (!pipe.isPaced) {
      const isBusy = pipe.here.some(({ mayTake }) => mayTake() < Number.POSITIVE_INFINITY)
      assert.ok(isBusy || !source.paused, `${spec.id} is paused, although it waits for no viewer`)
      return
    }
    // Checked a second time, straight from the contract, so that a mistake in the specification cannot hide one in the core.
    if (pipe.behind >= LIMITS.windowBytes) assert.ok(source.paused, `${spec.id} is a window ahead and not paused`)
    const hasRoom = pipe.here.some((receiver) => !receiver.full)
    const half = LIMITS.windowBytes / 2
    if (pipe.behind <= half && hasRoom)
      assert.ok(!source.paused, `${spec.id} is paused although a receiver can take more`)
  }

  #compareReceiver({ fake, spec }: Receiver): void {
    const { sink } = fake
    const name = this.sides.nameOf(fake)
    same(sink.log, spec.log, name)
    if (sink.aborted === 'fell_behind') count(this.coverage.reasons, 'fell_behind')
    assert.equal(sink.received, spec.taken, `${name}: bytes taken`)
    assert.equal(sink.offset, spec.from, `${name}: where it begins`)
    assert.equal(sink.full, spec.full, `${name}: full`)
    if (!sink.finishCalled) return
    const sides = [...this.sides.senders, ...this.sides.pastSenders]
    const sender = spec.pipe?.sender ?? sides.find(({ fake }) => fake.stream === sink.stream)?.spec
    assert.equal(sink.offset + sink.received, sender?.bytesIn, `${name} was finished without all bytes`)
  }

  #compareViews(): void {
    for (const key of KEYS) {
      const view = this.bench.table.get(key)
      const pipe = this.spec.pipes.get(key)
      assert.equal(view?.state, pipe?.state, `state of ${key}`)
      if (view === undefined || pipe === undefined) continue
      const { sender } = pipe
      assert.equal(view.receiversWanted, pipe.n)
      assert.equal(view.receiversPresent, pipe.here.length, `receivers of ${key}`)
      assert.equal(view.looks, pipe.looks, `looks at ${key}`)
      assert.equal(view.hasSender, sender !== undefined, `sender of ${key}`)
      assert.equal(view.transferId, sender?.id ?? '')
      assert.equal(view.bytesIn, sender?.bytesIn ?? 0, `bytesIn of ${key}`)
      assert.equal(view.bytesOut, pipe.bytesOut, `bytesOut of ${key}`)
      assert.equal(view.kind, pipe.kind, `kind of ${key}`)
      const all = pipe.state === 'streaming' ? pipe.receivers : []
      const live = pipe.kind === 'live'
      const taken = live ? pipe.here.map((each) => each.taken) : all.map((each) => each.taken)
      assert.equal(view.bytesSent, sum(taken) + pipe.goneTaken, `bytesSent of ${key}`)
      if (live) {
        const counts = { viewers: pipe.here.length, peak: pipe.peak, skips: 0, cuts: pipe.cuts }
        assert.deepEqual(view.live, counts, `counts of ${key}`)
        assert.equal(view.expectedBytes, sender?.expectedBytes)
        continue
      }
      const skipped = sum(all.map(({ from }) => Math.min(from, sender?.bytesIn ?? 0)))
      assert.equal(view.bytesSkipped, skipped, `bytesSkipped of ${key}`)
      assert.equal(view.expectedBytes, sender?.length ?? sender?.expectedBytes)
      assert.equal(view.endReason, undefined)
    }
  }
}

function lineOf({ event, key, reason, bytesIn, bytesOut }: ObservedEvent): string {
  return event === 'ended' ? `ended ${key} ${reason} ${bytesIn} ${bytesOut}` : `${event} ${key}`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

/** Compares two logs without building anything: this runs for every side after every step. */
export function same(actual: readonly string[], expected: readonly string[], whose: string): void {
  let equal = actual.length === expected.length
  for (let i = 0; equal && i < actual.length; i++) equal = actual[i] === expected[i]
  if (!equal) assert.fail(`${whose} was told [${actual.join(', ')}], expected [${expected.join(', ')}]`)
}
