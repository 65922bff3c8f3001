/** Idle, slow and stalled transfers. */
import type { FakeReceiver } from '../../fakes/sides.js'
import { scene, whole } from './scene.js'

scene('nothing moves for the idle limit', { limits: { idleMs: 5000 } }, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a')
  bench.pass(4500)
  t.equal(bench.lastReason, undefined)
  bench.pass(500)
  t.same(receiver.sink.log, ['begin', 'abort idle'])
  t.equal(sender.source.ended, 'idle')
  t.equal(bench.lastReason, 'idle')
})

scene('a byte now and then keeps a transfer alive, in either direction', { limits: { idleMs: 5000 } }, (bench, t) => {
  const receiver = bench.receiver('a', { room: 0, finishesAtOnce: false })
  const sender = bench.sender('a')
  for (let i = 0; i < 20; i++) {
    bench.pass(4000)
    sender.feed(1)
  }
  sender.end()
  for (let i = 0; i < 20; i++) {
    bench.pass(4000)
    receiver.drain(1)
  }
  t.same(receiver.sink.log, ['begin', 'finish'])
  bench.pass(4000)
  receiver.handOn()
  t.equal(bench.lastReason, 'complete')
})

scene('a receiver that stops for good ends by the idle limit', { limits: { idleMs: 5000 } }, (bench, t) => {
  const receiver = bench.receiver('a', { room: 10 })
  bench.sender('a').feed(20)
  bench.pass(6500)
  t.equal(receiver.sink.aborted, 'idle')
})

scene('idle limit 0: never', { limits: { idleMs: 0 } }, (bench, t) => {
  bench.receiver('a')
  const sender = bench.sender('a')
  bench.pass(100_000, 1000)
  sender.end()
  t.equal(bench.lastReason, 'complete')
})

const RATE = { limits: { minRate: 10, ratePeriodMs: 5000 } }

scene('slower than the rate limit, over its period', RATE, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a')
  sender.feed(50)
  bench.pass(5000)
  t.equal(bench.lastReason, undefined, 'exactly fast enough')
  sender.feed(49)
  bench.pass(4500)
  t.equal(bench.lastReason, undefined, 'the period is not over')
  bench.pass(500)
  t.same(receiver.sink.log, ['begin', 'abort too_slow'])
  t.equal(sender.source.ended, 'too_slow')
})

scene('the rate limit looks at what the slowest receiver takes', RATE, (bench, t) => {
  bench.receiver('a', { n: 2 })
  const slow = bench.receiver('a', { n: 2, room: 20 })
  bench.sender('a', { n: 2 }).feed(200)
  bench.pass(5000)
  t.equal(slow.sink.aborted, 'too_slow')
})

scene('waiting is not slow', RATE, (bench, t) => {
  bench.receiver('a')
  bench.pass(20_000)
  const sender = bench.sender('a')
  bench.pass(4500)
  sender.feed(50)
  bench.pass(500)
  t.equal(bench.lastReason, undefined)
  sender.end()
})

scene('a receiver that stalls is cut, and the others go on', {}, (bench, t) => {
  const [a, b, c] = [0, 1, 2].map(() => bench.receiver('a', { n: 3 })) as [FakeReceiver, FakeReceiver, FakeReceiver]
  const sender = bench.sender('a', { n: 3, stallMs: 3000 })
  a.sink.room = 40
  b.sink.room = 40
  sender.feed(100)
  for (let i = 0; i < 4; i++) {
    t.equal(b.sink.aborted, undefined)
    a.drain(1)
    bench.pass(1000)
  }
  t.same(b.sink.log, ['begin', 'abort receivers_stalled'])
  t.same(
    [a.sink.aborted, c.sink.aborted],
    [undefined, undefined],
    'a receiver that takes a byte now and then is left alone',
  )
  t.same(sender.source.events, ['waiting', 'streaming', 'receiver_left'])
  t.equal(bench.table.get('a')?.receiversPresent, 2)
  sender.feed(10)
  sender.end()
  a.drain()
  for (const { sink } of [a, c]) t.same(sink.bytes, whole(sender))
  t.equal(bench.lastReason, 'complete')
})

scene('all receivers stall in one check', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2, room: 0 }), bench.receiver('a', { n: 2, room: 0 })]
  const sender = bench.sender('a', { n: 2, stallMs: 2000 })
  sender.feed(10)
  bench.pass(5000)
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'abort receivers_stalled'])
  t.same(sender.source.events, ['waiting', 'streaming', 'receiver_left', 'end receivers_stalled'])
})

scene('the only receiver stalls', {}, (bench, t) => {
  const receiver = bench.receiver('a', { room: 10 })
  const sender = bench.sender('a', { stallMs: 2000 })
  sender.feed(20)
  bench.pass(2000)
  t.equal(receiver.sink.aborted, undefined)
  bench.pass(2000)
  t.same(receiver.sink.log, ['begin', 'abort receivers_stalled'])
  t.equal(sender.source.ended, 'receivers_stalled')
})

scene('a receiver for which no bytes wait does not stall', {}, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a', { stallMs: 2000 })
  bench.pass(10_000)
  sender.feed(10)
  bench.pass(10_000)
  t.equal(receiver.sink.aborted, undefined)
  sender.end()
})

scene('a receiver that never hands on its last byte stalls', {}, (bench, t) => {
  const receiver = bench.receiver('a', { finishesAtOnce: false })
  const sender = bench.sender('a', { stallMs: 2000 })
  sender.feed(10)
  sender.end()
  bench.pass(4000)
  t.same(receiver.sink.log, ['begin', 'finish', 'abort receivers_stalled'])
})

scene('stall limit 0: never', {}, (bench, t) => {
  const receiver = bench.receiver('a', { room: 0 })
  const sender = bench.sender('a')
  sender.feed(10)
  bench.pass(50_000)
  t.equal(receiver.sink.aborted, undefined)
  sender.leave()
})
