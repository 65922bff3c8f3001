/** Speeds that transfers share, under a clock that is turned by hand. */
import t from 'tap'
import { Throttle, type Throttled } from '../../core/index.js'
import { Bench, type FakeSender } from './scripted.js'

class Clock {
  ms = 0
  readonly waited: Throttle[] = []
  readonly now = (): number => this.ms
  readonly onWait = (throttle: Throttle): void => {
    this.waited.push(throttle)
  }

  throttle(bytesPerSecond: number): Throttle {
    return new Throttle(bytesPerSecond, this.now, this.onWait)
  }
}

/** Somebody who reads `bytes` each time it is let go, if it has them, and waits again. */
class Reader implements Throttled {
  read = 0
  calls = 0
  available = 0

  constructor(
    readonly throttle: Throttle,
    readonly most: number,
  ) {}

  unthrottled(): void {
    this.calls++
  }

  /** What a turn of the event loop does. */
  turn(): void {
    const bytes = Math.min(this.most, this.available)
    if (bytes > 0) this.throttle.spend(bytes)
    this.read += bytes
    this.available -= bytes
    if (this.throttle.isDry) this.throttle.wait(this)
  }
}

t.test('a throttle saves up a tenth of a second, and no more', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  clock.ms = 60_000
  throttle.spend(99)
  t.notOk(throttle.isDry)
  throttle.spend(1)
  t.ok(throttle.isDry)
})

t.test('what was read beyond the level is a debt, and nobody goes on before it is paid', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  const reader = new Reader(throttle, 0)
  throttle.spend(600)
  throttle.wait(reader)
  throttle.wait(reader)
  t.same(clock.waited, [throttle], 'asked for refills once')
  clock.ms = 500
  t.ok(throttle.refill(), 'somebody still waits')
  t.equal(reader.calls, 0)
  clock.ms = 501
  t.notOk(throttle.refill(), 'nobody waits any more')
  t.equal(reader.calls, 1)
  t.notOk(throttle.refill())
  t.equal(reader.calls, 1, 'called once for each wait')
})

t.test('who leaves is not called, not even by another one that is let go before it', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  const [second, third] = [new Reader(throttle, 0), new Reader(throttle, 0)]
  const first = { unthrottled: () => throttle.leave(second) }
  throttle.spend(100)
  for (const each of [first, second, third]) throttle.wait(each)
  clock.ms = 10
  t.notOk(throttle.refill())
  t.same([second.calls, third.calls], [0, 1])
  throttle.leave(second)
})

t.test(
  'who waits again while others are let go has its turn at the next refill, which is asked for once',
  async (t) => {
    const clock = new Clock()
    const throttle = clock.throttle(1000)
    const other = new Reader(throttle, 0)
    let calls = 0
    const greedy: Throttled = {
      unthrottled() {
        calls++
        throttle.wait(greedy)
      },
    }
    throttle.spend(100)
    throttle.wait(other)
    throttle.wait(greedy)
    clock.ms = 10
    t.ok(throttle.refill(), 'refills have to go on')
    t.same([calls, other.calls], [1, 1])
    t.equal(clock.waited.length, 1, 'so nobody had to be told to begin')
    throttle.leave(greedy)
    t.notOk(throttle.refill())
  },
)

t.test('one that throws loses nobody their turn', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  const other = new Reader(throttle, 0)
  throttle.spend(100)
  throttle.wait({
    unthrottled() {
      throw new Error('a defect')
    },
  })
  throttle.wait(other)
  clock.ms = 10
  t.throws(() => throttle.refill(), /a defect/)
  t.notOk(throttle.refill())
  t.equal(other.calls, 1)
})

t.test('the average is exact, a burst is a tenth of a second and one read, and all get the same', async (t) => {
  const RATE = 1_000_000
  const READ = 16 * 1024
  const clock = new Clock()
  const throttle = clock.throttle(RATE)
  // They could do 3, 10 and 100 times what is their share.
  const speeds = [3, 10, 100, 3].map((times) => (times * RATE) / 4)
  const readers = speeds.map(() => new Reader(throttle, READ))
  const waits = new Set<Reader>()
  for (const reader of readers) {
    reader.unthrottled = () => void waits.delete(reader)
  }
  const SECONDS = 60
  let worst = 0
  for (clock.ms = 0; clock.ms < SECONDS * 1000; clock.ms++) {
    readers.forEach((reader, i) => {
      reader.available = Math.min(READ * 8, reader.available + speeds[i]! / 1000)
      if (waits.has(reader)) return
      reader.turn()
      if (throttle.isDry) waits.add(reader)
    })
    if (clock.ms % 10 === 9) throttle.refill()
    const read = readers.reduce((sum, reader) => sum + reader.read, 0)
    worst = Math.max(worst, read - (clock.ms / 1000) * RATE)
  }
  const total = readers.reduce((sum, reader) => sum + reader.read, 0)
  t.ok(worst <= RATE * 0.1 + READ * readers.length, `${worst} bytes ahead of the average at most`)
  t.ok(total > RATE * SECONDS * 0.995, `${total} bytes: no speed is lost`)
  for (const { read } of readers) t.ok(Math.abs(read / (total / 4) - 1) < 0.03, `${read} of ${total}`)
})

// --- in a transfer

/** A transfer on a throttle each: everything that the receiver gets comes through it. */
function streaming(bench: Bench, key: string, throttles: readonly Throttle[]): FakeSender {
  bench.receiver(key)
  return bench.sender(key, { limits: { throttles } })
}

t.test('a transfer pauses while its throttle is dry, and goes on after a refill', async (t) => {
  const bench = new Bench()
  const waited: Throttle[] = []
  const throttle = new Throttle(
    1000,
    () => bench.now,
    (each) => void waited.push(each),
  )
  const sender = streaming(bench, 'a', [throttle])
  t.notOk(sender.source.paused)
  sender.feed(99)
  t.notOk(sender.source.paused)
  sender.feed(51)
  t.ok(sender.source.paused)
  t.same(waited, [throttle])
  bench.now = 50
  t.ok(throttle.refill())
  t.ok(sender.source.paused, 'the debt is paid, but there is nothing to spend')
  bench.now = 51
  t.notOk(throttle.refill())
  t.notOk(sender.source.paused)
  t.equal(sender.endpoint.pipe.heldBackMs, 51)
  sender.feed(50)
  sender.end()
  bench.now = 500
  t.notOk(throttle.refill())
  t.equal(sender.source.ended, 'complete')
  t.equal(sender.endpoint.pipe.heldBackMs, 51)
  bench.assertEmpty()
})

t.test('what was read after the pause, and the end of the body, change nothing about the wait', async (t) => {
  const bench = new Bench()
  const throttle = new Throttle(
    1000,
    () => bench.now,
    () => {},
  )
  bench.receiver('a', { finishesAtOnce: false })
  const sender = bench.sender('a', { limits: { throttles: [throttle] } })
  sender.feed(150)
  sender.feed(100)
  bench.now = 20
  sender.end()
  bench.now = 1000
  t.notOk(throttle.refill())
  t.ok(sender.source.paused, 'a source that has ended is not resumed')
  t.equal(sender.endpoint.pipe.heldBackMs, 20, 'and the time that it was held back is not forgotten')
  bench.table.endAll('fault')
})

t.test('a transfer that ends while it waits leaves its throttle', async (t) => {
  const bench = new Bench()
  const throttle = new Throttle(
    1000,
    () => bench.now,
    () => {},
  )
  const [gone, stays] = [streaming(bench, 'a', [throttle]), streaming(bench, 'b', [throttle])]
  gone.feed(200)
  stays.feed(10)
  gone.leave()
  bench.now = 5000
  t.notOk(throttle.refill())
  t.equal(gone.source.log.at(-1), 'end sender_left')
  t.notOk(stays.source.paused)
  // A call that comes too late all the same.
  gone.endpoint.fanOut.unthrottled()
  stays.end()
  bench.assertEmpty()
})

t.test('a full receiver and a dry throttle: it goes on when neither holds it back, in whatever order', async (t) => {
  for (const drainsFirst of [true, false]) {
    const bench = new Bench()
    const throttle = new Throttle(
      1000,
      () => bench.now,
      () => {},
    )
    const receiver = bench.receiver('a', { room: 150 })
    const sender = bench.sender('a', { limits: { throttles: [throttle] } })
    sender.feed(200)
    t.ok(sender.source.paused)
    bench.now = 1000
    const ways = [() => receiver.drain(), () => void throttle.refill()]
    const [first, last] = drainsFirst ? ways : ways.reverse()
    first!()
    t.ok(sender.source.paused || drainsFirst === false || !throttle.isDry)
    last!()
    throttle.refill()
    t.notOk(sender.source.paused)
    sender.end()
    bench.assertEmpty()
  }
})

t.test('with several throttles the slowest decides, one that both sides brought counts once', async (t) => {
  const bench = new Bench()
  const clock = (): number => bench.now
  const throttles = [10_000, 1000, 5000].map((rate) => new Throttle(rate, clock, () => {}))
  const [fast, slow, middle] = throttles as [Throttle, Throttle, Throttle]
  bench.receiver('a', { limits: { throttles: [slow, middle] } })
  const sender = bench.sender('a', { limits: { throttles: [fast, slow] } })
  let fed = 0
  for (; bench.now < 10_000; bench.now++) {
    if (!sender.source.paused) {
      sender.feed(40)
      fed += 40
    }
    for (const throttle of throttles) throttle.refill()
  }
  t.ok(fed >= 10_000 && fed <= 10_140, `${fed} bytes in ten seconds`)
  sender.end()
  bench.assertEmpty()
})

t.test('what a sender had sent while it waited is spent too', async (t) => {
  const bench = new Bench()
  const throttle = new Throttle(
    1000,
    () => bench.now,
    () => {},
  )
  const sender = bench.sender('a', { limits: { throttles: [throttle] } })
  sender.feed(300)
  t.notOk(throttle.isDry, 'nothing streams yet')
  bench.receiver('a')
  t.ok(throttle.isDry)
  t.ok(sender.source.paused)
  bench.now = 201
  t.notOk(throttle.refill())
  t.notOk(sender.source.paused)
  sender.end()
  bench.assertEmpty()
})
