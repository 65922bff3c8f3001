/**
 * Topics against a much simpler telling of the rules: a list of all messages that were accepted, in order, of which each subscriber has
 * had those from its coming on. `PIPEGATE_SEED=<seed>` repeats a run.
 */
import assert from 'node:assert/strict'
import t from 'tap'
import { Random } from '../../model/random.js'
import { amount } from '../../support/thorough.js'
import { Bench } from '../fakes/bench.js'
import { LINES, NUMBERED, publish, subscribe, type TestPublisher, type TestSubscriber } from './sides.js'

const STEPS = 3000
const SEEDS = amount(10, 100)
const WINDOW = 60

interface Known {
  readonly subscriber: TestSubscriber
  readonly isNumbered: boolean
  /** How many messages had been accepted before it came. */
  readonly from: number
}

class World {
  readonly bench = new Bench({
    limits: {
      windowBytes: WINDOW,
      holdBytes: 100_000,
      topic: { maxSubscribers: 12, slow: 'hold', stallMs: 0, silenceMs: 1e9 },
    },
    maxSlabs: 200,
    roomy: true,
    turn: [300, 3, 20],
  })
  readonly here: Known[] = []
  readonly pending: { readonly publisher: TestPublisher }[] = []
  /** All of them, in the order in which they were accepted. */
  readonly accepted: string[] = []
  counts = { delivered: 0, held: 0, cut: 0, expired: 0, postponed: 0 }
  #texts = 0

  constructor(readonly random: Random) {}

  step(): void {
    const { random } = this
    const dice = random.below(100)
    if (dice < 8) this.#come()
    else if (dice < 12) this.#go()
    else if (dice < 50) this.#publish()
    else if (dice < 90) this.#drain()
    else if (dice < 93) this.#withdraw()
    else if (dice < 96) this.bench.turn.begin()
    else this.bench.advance(random.below(400))
    this.#note()
    this.#check()
  }

  #come(): void {
    if (this.here.length >= 12) return
    const isNumbered = this.random.chance(50)
    const room = this.random.chance(30) ? Number.POSITIVE_INFINITY : this.random.below(50)
    // Messages that wait for somebody are accepted after it has come.
    const from = this.accepted.length
    const subscriber = subscribe(this.bench, 'a', { encoding: isNumbered ? NUMBERED : LINES, room })
    this.here.push({ subscriber, isNumbered, from })
  }

  #go(): void {
    const known = this.random.pick(this.here)
    if (known === undefined) return
    this.here.splice(this.here.indexOf(known), 1)
    known.subscriber.leave()
  }

  #publish(): void {
    const { random } = this
    const text = `${++this.#texts}${'x'.repeat(random.chance(5) ? 150 : random.below(20))}`
    const min = random.chance(15) ? random.between(1, 4) : 0
    const slow = random.chance(10) ? ('cut' as const) : undefined
    const publisher = publish(this.bench, 'a', text, { min, waitMs: random.between(50, 3000), slow })
    if (publisher.subscribers !== undefined) this.#accepted(text, publisher.subscribers, min)
    if (!publisher.waits) return
    this.counts.held++
    publisher.onDelivered = () => this.#accepted(text, publisher.subscribers!, min)
    this.pending.push({ publisher })
  }

  #drain(): void {
    const known = this.random.pick(this.here)
    if (known === undefined || !known.subscriber.sink.full) return
    if (known.subscriber.sink.postponed) this.counts.postponed++
    this.bench.turn.begin()
    known.subscriber.drain(this.random.chance(30) ? Number.POSITIVE_INFINITY : this.random.below(60))
  }

  #withdraw(): void {
    const one = this.random.pick(this.pending.filter(({ publisher }) => publisher.waits))
    if (one === undefined) return
    one.publisher.publication!.withdraw()
    this.pending.splice(this.pending.indexOf(one), 1)
  }

  #accepted(text: string, subscribers: number, min: number): void {
    assert.ok(subscribers >= min)
    this.accepted.push(text)
    this.counts.delivered++
  }

  /** Who waits no more, and who was cut. */
  #note(): void {
    for (const each of [...this.pending]) {
      const { publisher } = each
      if (publisher.waits) continue
      this.pending.splice(this.pending.indexOf(each), 1)
      if (publisher.subscribers !== undefined) continue
      assert.ok(publisher.code === 'HELD_TOO_LONG' || publisher.reason === 'no_receivers')
      this.counts.expired++
    }
    for (const known of [...this.here]) {
      if (known.subscriber.sink.aborted === undefined) continue
      assert.equal(known.subscriber.sink.aborted, 'fell_behind')
      this.counts.cut++
      this.here.splice(this.here.indexOf(known), 1)
    }
  }

  #check(): void {
    const { bench } = this
    let held = 0
    for (const { subscriber, isNumbered, from } of this.here) {
      const { text, sink } = subscriber
      const messages = this.accepted.slice(from)
      if (isNumbered) {
        if (text === '') continue
        // They are counted from when somebody was there, which may have been another time than that of the first message.
        const [, first = '1'] = /^<(\d+)/.exec(text) ?? []
        const whole = `<${messages.map((message, i) => `${Number(first) + i}:${message};`).join('')}`
        assert.ok(whole.startsWith(text), `got ${text.slice(-80)} of ${whole.slice(-80)}`)
      } else {
        const whole = messages.map((message) => `${message}\n`).join('')
        assert.ok(
          whole.startsWith(text),
          `got ${JSON.stringify(text.slice(-80))} of ${JSON.stringify(whole.slice(-80))}`,
        )
        if (!sink.full) assert.equal(text.length, whole.length, 'who has room has everything')
        held = Math.max(held, whole.length - text.length)
      }
    }
    assert.ok(held <= WINDOW + 200, `${held} bytes behind`)
    const topic = bench.table.get('a')
    assert.equal(topic?.topic?.subscribers ?? 0, this.here.length)
    if (this.here.length === 0 && this.pending.length === 0) assert.equal(topic, undefined)
  }

  end(): void {
    for (const { subscriber } of this.here.splice(0)) subscriber.leave()
    for (const { publisher } of this.pending.splice(0)) if (publisher.waits) publisher.publication!.withdraw()
    this.bench.assertEmpty()
  }
}

t.test('random steps: one order for all, nothing lost, nothing twice, nothing left', async (t) => {
  const first = Number(process.env.PIPEGATE_SEED ?? 1)
  const total = { delivered: 0, held: 0, cut: 0, expired: 0, postponed: 0 }
  for (let seed = first; seed < first + SEEDS; seed++) {
    const world = new World(new Random(seed))
    try {
      for (let step = 0; step < STEPS; step++) world.step()
      world.end()
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
    }
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += world.counts[key]
  }
  t.comment(JSON.stringify(total))
  for (const [what, times] of Object.entries(total)) t.ok(times >= 10 * SEEDS, `${what}: ${times} times`)
})
