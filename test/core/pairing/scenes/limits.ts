/** Limits on the number, the size and the time of transfers. */
import { scene } from './scene.js'

scene('one transfer too many', { limits: { maxActive: 1 } }, (bench, t) => {
  const running = bench.receiver('a')
  const sender = bench.sender('a')
  const first = bench.sender('b')
  first.feed(10)
  const second = bench.receiver('b')
  t.same(first.source.log, ['waiting', 'receiver_joined', 'end too_many_active'])
  t.same(second.sink.log, ['abort too_many_active'])
  const third = bench.receiver('c')
  const fourth = bench.sender('c')
  t.same(third.sink.log, ['abort too_many_active'])
  t.same(fourth.source.log, ['waiting', 'end too_many_active'])
  t.equal(bench.table.streaming, 1, 'what never streamed is not counted')
  sender.end()
  t.same(running.sink.log, ['begin', 'finish'])
  t.equal(bench.table.streaming, 0)
  const again = bench.receiver('b')
  bench.sender('b').end()
  t.same(again.sink.log, ['begin', 'finish'], 'the place is free again')
})

for (const strict of ['sender', 'receiver'] as const) {
  scene(`more bytes than the ${strict} may have`, {}, (bench, t) => {
    const limits = { maxBytes: 100 }
    const loose = { maxBytes: 500 }
    const receiver = bench.receiver('a', { limits: strict === 'receiver' ? limits : loose })
    const sender = bench.sender('a', { limits: strict === 'sender' ? limits : loose })
    sender.feed(100)
    t.equal(sender.source.ended, undefined, 'exactly as many as allowed')
    sender.feed(1)
    t.same(receiver.sink.log, ['begin', 'abort too_large'])
    t.equal(receiver.sink.received, 100, 'not one byte too many went out')
    t.equal(sender.source.ended, 'too_large')
  })
}

scene('a sender that sends too much while it waits', {}, (bench, t) => {
  const receiver = bench.receiver('a', { n: 2 })
  const sender = bench.sender('a', { n: 2, limits: { maxBytes: 10 } })
  sender.feed(11)
  t.equal(sender.source.ended, 'too_large')
  t.same(receiver.sink.log, [], 'the receivers wait for the next sender')
  receiver.leave()
})

scene('what came or was announced is too much for a receiver: nothing begins', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(11)
  const first = bench.receiver('a', { limits: { maxBytes: 10 } })
  t.same(first.sink.log, ['abort too_large'])
  t.equal(sender.source.ended, 'too_large')
  bench.sender('a', { length: 11 })
  t.same(bench.receiver('a', { limits: { maxBytes: 10 } }).sink.log, ['abort too_large'])
  const fits = bench.sender('a', { length: 10 })
  const last = bench.receiver('a', { limits: { maxBytes: 10 } })
  fits.feed(10)
  fits.end()
  t.same(last.sink.log, ['begin', 'finish'])
})

scene('the limits of a side that left do not hold any more', {}, (bench, t) => {
  bench.receiver('a', { n: 2, limits: { maxBytes: 1, totalMs: 1 } }).leave()
  const receivers = [bench.receiver('a', { n: 2 })]
  bench.sender('a', { n: 2, limits: { maxBytes: 1, totalMs: 1 } }).leave()
  receivers.push(bench.receiver('a', { n: 2 }))
  const sender = bench.sender('a', { n: 2 })
  sender.feed(50)
  bench.pass(2000)
  sender.end()
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'finish'])
})

scene('longer than the strictest side may stream', {}, (bench, t) => {
  const receiver = bench.receiver('a', { limits: { totalMs: 4000 } })
  bench.pass(10_000)
  const sender = bench.sender('a', { limits: { totalMs: 9000 } })
  bench.pass(3500)
  sender.feed(10)
  t.equal(sender.source.ended, undefined, 'waiting does not count')
  bench.pass(500)
  t.same(receiver.sink.log, ['begin', 'abort too_long'])
  t.equal(sender.source.ended, 'too_long')
})

for (const strictFirst of [true, false]) {
  const [first, second] = strictFirst ? [1, 5] : [5, 1]
  scene(`the strictest of two receivers, which comes ${strictFirst ? 'first' : 'last'}`, {}, (bench, t) => {
    bench.receiver('a', { n: 2, limits: { maxBytes: first * 100 } })
    bench.receiver('a', { n: 2, limits: { maxBytes: second * 100 } })
    const large = bench.sender('a', { n: 2, limits: { maxBytes: 500 } })
    large.feed(100)
    t.equal(large.source.ended, undefined)
    large.feed(1)
    t.equal(large.source.ended, 'too_large')
    bench.receiver('a', { limits: { totalMs: first * 1000 } })
    const long = bench.sender('a', { limits: { totalMs: second * 1000 } })
    bench.pass(500)
    t.equal(long.source.ended, undefined)
    bench.pass(500)
    t.equal(long.source.ended, 'too_long')
    bench.receiver('a', { limits: { totalMs: 60_000 } })
    bench.sender('a').end()
    t.equal(bench.clock.size, 0, 'no deadline is left after the end')
  })
}
