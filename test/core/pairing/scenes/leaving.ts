/** Sides that leave while the stream flows, and calls after the end. */
import type { FakeReceiver } from '../../fakes/sides.js'
import { scene, whole } from './scene.js'

scene('a sender leaves before its body is complete', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2, room: 20 }), bench.receiver('a', { n: 2 })]
  const sender = bench.sender('a', { n: 2 })
  sender.feed(50)
  sender.leave()
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'abort sender_left'])
  t.same(sender.source.events, ['waiting', 'streaming', 'end sender_left'])
  t.equal(bench.lastReason, 'sender_left')
})

scene('a sender leaves after its body was complete: the receivers get all of it', {}, (bench, t) => {
  const fast = bench.receiver('a', { n: 3 })
  const slow = bench.receiver('a', { n: 3, room: 20, finishesAtOnce: false })
  const gone = bench.receiver('a', { n: 3, room: 20 })
  const sender = bench.sender('a', { n: 3 })
  sender.feed(200)
  sender.end()
  sender.leave()
  t.equal(bench.table.get('a')?.state, 'streaming')
  t.same(fast.sink.log, ['begin', 'finish'])
  gone.leave()
  slow.drain(100)
  slow.drain()
  t.same(slow.sink.log, ['begin', 'finish'])
  t.equal(bench.lastReason, undefined)
  slow.handOn()
  t.equal(bench.lastReason, 'complete')
  for (const { sink } of [fast, slow]) t.same(sink.bytes, whole(sender))
})

scene('the only receiver leaves', {}, (bench, t) => {
  const receiver = bench.receiver('a', { room: 20 })
  const sender = bench.sender('a')
  sender.feed(50)
  receiver.leave()
  t.same(sender.source.events, ['waiting', 'streaming', 'end receivers_left'])
  t.equal(bench.lastReason, 'receivers_left')
})

scene('bytesOut of a transfer whose receivers left is what the last of them had taken', {}, (bench, t) => {
  const first = bench.receiver('a', { n: 2, room: 10 })
  const second = bench.receiver('a', { n: 2, room: 30 })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(100)
  const view = bench.table.get('a')!
  t.equal(view.bytesOut, 10)
  first.leave()
  t.equal(view.bytesOut, 30)
  second.leave()
  t.match(bench.observer.observed.at(-1), { event: 'ended', reason: 'receivers_left', bytesIn: 100, bytesOut: 30 })
})

scene('one of several leaves before the first byte, at the window, and after its last', {}, (bench, t) => {
  const receivers = Array.from({ length: 4 }, () => bench.receiver('a', { n: 4 }))
  const [early, holding, done, staying] = receivers as [FakeReceiver, FakeReceiver, FakeReceiver, FakeReceiver]
  const sender = bench.sender('a', { n: 4 })
  early.leave()
  t.same(early.sink.log, ['begin'])
  holding.sink.room = 0
  staying.sink.room = 400
  sender.feed(200)
  sender.feed(100)
  t.ok(sender.source.paused)
  holding.leave()
  t.notOk(sender.source.paused, 'a receiver that left delays no one')
  t.equal(bench.slabs.inUse, 0)
  sender.feed(200)
  sender.end()
  t.same(done.sink.log, ['begin', 'finish'])
  done.leave()
  t.equal(bench.table.get('a')?.state, 'streaming', 'a receiver that has everything may leave')
  staying.drain()
  t.same(sender.source.log.slice(1), [
    'streaming',
    'resume',
    'receiver_left',
    'pause',
    'receiver_left',
    'resume',
    'uploaded',
    'end complete',
  ])
  for (const { sink } of [done, staying]) t.same(sink.bytes, whole(sender))
})

scene('a receiver leaves between finish() and its last byte', {}, (bench, t) => {
  const one = bench.receiver('a', { n: 2, finishesAtOnce: false })
  const two = bench.receiver('a', { n: 2, finishesAtOnce: false })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(10)
  sender.end()
  one.leave()
  t.equal(sender.source.ended, undefined)
  two.leave()
  t.equal(sender.source.ended, 'receivers_left')
})

scene('the slowest leaves, and all others are done: complete', {}, (bench, t) => {
  const fast = bench.receiver('a', { n: 2 })
  const slow = bench.receiver('a', { n: 2, room: 0 })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(100)
  sender.end()
  slow.leave()
  t.same(fast.sink.log, ['begin', 'finish'])
  t.same(sender.source.events.slice(-3), ['uploaded', 'receiver_left', 'end complete'])
})

scene('a receiver that has the last byte is not disturbed by a later failure', {}, (bench, t) => {
  const fast = bench.receiver('a', { n: 2 })
  const slow = bench.receiver('a', { n: 2, room: 0 })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(100)
  sender.end()
  bench.table.endAll('shutting_down')
  t.same(fast.sink.log, ['begin', 'finish'])
  t.same(slow.sink.log, ['begin', 'abort shutting_down'])
  t.equal(sender.source.ended, 'shutting_down')
})

scene('calls after the end do nothing', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2, room: 5 })]
  const sender = bench.sender('a', { n: 2 })
  sender.feed(10)
  bench.table.endAll('shutting_down')
  const view = { ...bench.observer.observed.at(-1)! }
  sender.feed(100)
  sender.feed(100)
  sender.end()
  sender.leave()
  for (const receiver of receivers) {
    receiver.drain()
    receiver.endpoint.finished()
    receiver.leave()
  }
  t.equal(sender.source.log.at(-1), 'end shutting_down')
  t.equal(sender.endpoint.pipe.bytesIn, view.bytesIn, 'the view stays as it was told')
  t.same(receivers[0]!.sink.log, ['begin', 'abort shutting_down'])
})

scene('calls after the end of a pipe that never streamed do nothing', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 1000 })
  bench.advance(1000)
  sender.feed(100)
  sender.feed(100)
  t.equal(bench.slabs.inUse, 0, 'nothing is kept')
  sender.end()
  sender.leave()
  t.same(sender.source.log, ['waiting', 'end no_receivers'])
})

scene('a sink that drains while its last byte is on its way is finished once', {}, (bench, t) => {
  const receiver = bench.receiver('a', { finishesAtOnce: false })
  const sender = bench.sender('a')
  sender.feed(10)
  sender.end()
  receiver.drain()
  t.same(receiver.sink.log, ['begin', 'finish'])
  receiver.handOn()
  t.equal(sender.source.ended, 'complete')
})
