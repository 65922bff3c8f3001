/** Sides that wait: how long, and what happens when one of them leaves. */
import { scene, whole } from './scene.js'

scene('a sender waits for as long as it asked', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 3000 })
  bench.advance(2999)
  t.equal(sender.source.ended, undefined)
  bench.advance(1)
  t.same(sender.source.log, ['waiting', 'end no_receivers'])
  t.equal(bench.lastReason, 'no_receivers')
})

scene('a lone receiver waits for as long as it asked', {}, (bench, t) => {
  const receiver = bench.receiver('a', { waitMs: 3000 })
  bench.advance(2999)
  t.same(receiver.sink.log, [])
  bench.advance(1)
  t.same(receiver.sink.log, ['abort no_sender'])
  t.equal(bench.lastReason, 'no_sender')
})

scene("each side's wait is its own", {}, (bench, t) => {
  const short = bench.receiver('a', { n: 3, waitMs: 1000 })
  const long = bench.receiver('a', { n: 3, waitMs: 9000 })
  bench.advance(1000)
  t.same(short.sink.log, ['abort no_sender'])
  t.same(long.sink.log, [], 'the other goes on waiting')
  t.equal(bench.table.get('a')?.receiversPresent, 1)
  const sender = bench.sender('a', { n: 3, waitMs: 2000 })
  const third = bench.receiver('a', { n: 3, waitMs: 1000 })
  bench.advance(1000)
  t.same(third.sink.log, ['abort no_receivers'], 'a sender is there, so receivers are what is missing')
  t.same(sender.source.log, ['waiting', 'receiver_joined', 'receiver_left'])
  bench.advance(1000)
  t.equal(sender.source.ended, 'no_receivers')
  t.same(long.sink.log, [], 'a sender that gives up does not disturb the receivers')
  t.equal(bench.table.get('a')?.hasSender, false)
  bench.advance(6000)
  t.same(long.sink.log, ['abort no_sender'])
  t.same(bench.observer.lines, ['waiting a', 'ended a no_sender'])
})

scene('the last receiver that gives up does not disturb the sender', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 9000 })
  const two = bench.sender('b', { n: 2, waitMs: 9000 })
  const receiver = bench.receiver('b', { n: 2, waitMs: 1000 })
  bench.advance(1000)
  t.equal(receiver.sink.aborted, 'no_receivers')
  t.same(two.source.log, ['waiting', 'receiver_joined', 'receiver_left'])
  bench.advance(8000)
  for (const { source } of [sender, two]) t.equal(source.ended, 'no_receivers')
})

scene('a wait is over when the stream starts', {}, (bench, t) => {
  const receiver = bench.receiver('a', { waitMs: 1000 })
  const sender = bench.sender('a', { waitMs: 1000 })
  t.equal(bench.clock.size, 1, 'only the look at the limits is left')
  for (let i = 0; i < 40; i++) {
    bench.advance(1000)
    sender.feed(1)
  }
  sender.end()
  t.same(sender.source.events, ['waiting', 'streaming', 'uploaded', 'end complete'], 'and so are the reminders')
  t.equal(receiver.sink.received, 40)
})

scene('a waiting sender is reminded every reminderMs', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 35_000 })
  bench.advance(9999)
  t.same(sender.source.log, ['waiting'])
  bench.advance(1)
  t.same(sender.source.log, ['waiting', 'still_waiting'])
  bench.pass(9500)
  t.same(sender.source.log, ['waiting', 'still_waiting'])
  bench.pass(500)
  t.same(sender.source.log, ['waiting', 'still_waiting', 'still_waiting'])
  bench.pass(15_000)
  t.same(sender.source.log.slice(3), ['still_waiting', 'end no_receivers'])
})

scene('a sender leaves while it waits, and another takes its place', {}, (bench, t) => {
  const receiver = bench.receiver('a', { n: 2 })
  const first = bench.sender('a', { n: 2 })
  first.feed(200)
  t.ok(bench.table.get('a')?.bytesIn === 200)
  first.leave()
  t.equal(bench.slabs.inUse, 0, 'what it sent is freed')
  t.match(bench.table.get('a'), { hasSender: false, transferId: '', bytesIn: 0, receiversPresent: 1 })
  t.equal(bench.clock.size, 1, 'its deadline and its reminder are gone')
  t.same(receiver.sink.log, [])
  const second = bench.sender('a', { n: 2 })
  first.feed(30)
  first.end()
  first.leave()
  const other = bench.receiver('a', { n: 2 })
  second.feed(40)
  second.end()
  for (const { sink } of [receiver, other]) t.same(sink.bytes, whole(second))
  t.same(first.source.log, ['waiting'])
  t.same(second.source.events, ['waiting', 'receiver_joined', 'streaming', 'uploaded', 'end complete'])
  t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
})

scene('a lone sender leaves', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(100)
  sender.feed(100)
  sender.leave()
  t.same(sender.source.log, ['waiting'])
  t.equal(bench.lastReason, 'abandoned')
})

scene('a receiver leaves while it waits, and another takes its place', {}, (bench, t) => {
  const sender = bench.sender('a', { n: 2 })
  const first = bench.receiver('a', { n: 2 })
  first.leave()
  t.equal(bench.table.get('a')?.receiversPresent, 0)
  const second = bench.receiver('a', { n: 2 })
  first.leave()
  t.equal(bench.table.get('a')?.receiversPresent, 1, 'a receiver that left twice took one place')
  const third = bench.receiver('a', { n: 2 })
  sender.feed(40)
  sender.end()
  t.same(first.sink.log, [])
  for (const { sink } of [second, third]) t.same(sink.bytes, whole(sender))
  t.same(sender.source.events, [
    'waiting',
    'receiver_joined',
    'receiver_left',
    'receiver_joined',
    'receiver_joined',
    'streaming',
    'uploaded',
    'end complete',
  ])
})

scene('all receivers leave, and no sender has come', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })]
  receivers[0]!.leave()
  t.equal(bench.lastReason, undefined)
  receivers[1]!.leave()
  t.equal(bench.lastReason, 'abandoned')
})

scene('the whole body is read while its sender waits', {}, (bench, t) => {
  const sender = bench.sender('a', { length: 70 })
  sender.feed(70)
  sender.end()
  t.same(sender.source.log, ['waiting'])
  t.match(bench.table.get('a'), { state: 'waiting', bytesIn: 70, bytesOut: 0 })
  const receiver = bench.receiver('a')
  t.same(sender.source.log, ['waiting', 'receiver_joined', 'streaming', 'uploaded', 'end complete'])
  t.same(receiver.sink.log, ['begin', 'finish'])
  t.same(receiver.sink.bytes, whole(sender))
})

scene('the whole body is read while its sender waits, and the receiver is slow', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(70)
  sender.feed(70)
  sender.end()
  const receiver = bench.receiver('a', { room: 100, finishesAtOnce: false })
  t.match(bench.table.get('a'), { state: 'streaming', bytesIn: 140, bytesOut: 100 })
  receiver.drain()
  t.same(receiver.sink.log, ['begin', 'finish'])
  t.equal(sender.source.ended, undefined)
  receiver.handOn()
  t.equal(sender.source.ended, 'complete')
  t.same(receiver.sink.bytes, whole(sender))
})

scene('an empty stream is a stream', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2, room: 0 }), bench.receiver('a', { n: 2, room: 0 })]
  const sender = bench.sender('a', { n: 2, length: 0 })
  sender.end()
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'finish'])
  t.equal(sender.source.ended, 'complete')
})

scene('a sender that leaves with its body complete, while it waits, gives up its place', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(10)
  sender.end()
  sender.leave()
  t.equal(bench.lastReason, 'abandoned')
})

scene('a sender that waits learns that somebody looks, and not too often', {}, (bench, t) => {
  bench.table.looked('a')
  const sender = bench.sender('a')
  for (let i = 0; i < 120; i++) bench.table.looked('a')
  t.equal(sender.source.log.filter((event) => event === 'looked').length, 9 + 9 + 1)
  t.equal(bench.table.get('a')!.looks, 120)
  bench.receiver('a')
  bench.table.looked('a')
  t.equal(sender.endpoint.pipe.looks, 120, 'what streams is not looked at')
  sender.end()
})
