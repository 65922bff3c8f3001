/** Transfers whose speed a throttle limits. */
import t from 'tap'
import { Throttle } from '../../../core/index.js'
import { Bench } from '../fakes/bench.js'
import type { FakeSender } from '../fakes/sides.js'

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
