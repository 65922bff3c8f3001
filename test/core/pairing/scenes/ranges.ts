/** Receivers that have the beginning of the stream already. */
import type { FakeReceiver } from '../../fakes/sides.js'
import { streamBytes } from '../../fakes/stream-bytes.js'
import { orders, refused, scene } from './scene.js'

scene('a range: each receiver begins at its own byte, whoever comes first', {}, (bench, t) => {
  for (const order of orders(['S', 0, 100, 299] as const)) {
    const receivers = new Map<number, FakeReceiver>()
    const join = { n: 3, length: 300 }
    let sender: ReturnType<typeof bench.sender> | undefined
    for (const side of order) {
      if (side === 'S') sender = bench.sender('a', join)
      else receivers.set(side, bench.receiver('a', { n: 3, offset: side }))
    }
    const view = bench.table.get('a')!
    sender!.feed(90)
    t.same([view.bytesOut, view.bytesSent, view.bytesSkipped], [90, 90, 180])
    t.equal(bench.slabs.heldBytes, 0, 'what is skipped is not kept')
    for (let fed = 90; fed < 300; fed += 30) sender!.feed(30)
    t.same([view.bytesOut, view.bytesSent, view.bytesSkipped], [300, 300 + 200 + 1, 399])
    sender!.end()
    for (const [offset, { sink }] of receivers) {
      t.same(sink.log, ['begin', 'finish'])
      t.same(sink.bytes, Buffer.from(streamBytes(sender!.stream, offset, 300 - offset)), `${order}: from ${offset}`)
    }
    t.equal(sender!.source.ended, 'complete')
  }
})

scene('a range: what came while the sender waited is skipped as well', {}, (bench, t) => {
  const sender = bench.sender('a', { length: 300 })
  sender.feed(200)
  const { sink } = bench.receiver('a', { offset: 150, room: 20 })
  t.equal(sink.received, 20)
  const view = bench.table.get('a')!
  t.same([view.bytesOut, view.bytesSkipped], [170, 150])
  sender.endpoint.left()
  t.equal(sink.aborted, 'sender_left')
})

scene('a range: a stream of unknown length is given from its first byte', {}, (bench, t) => {
  const sender = bench.sender('a', { headLater: true })
  const { sink } = bench.receiver('a', { offset: 100 })
  sender.open()
  sender.feed(50)
  t.same([sink.offset, sink.received, bench.table.get('a')?.bytesSkipped], [0, 50, 0])
  sender.end()
})

scene('a range that ends before the stream does is none', {}, (bench, t) => {
  for (const [last, from] of [
    [98, 0],
    [99, 50],
    [100, 50],
  ] as const) {
    const { sink } = bench.receiver('a', { offset: 50, last })
    const sender = bench.sender('a', { length: 100 })
    t.equal(sink.offset, from)
    sender.feed(100)
    sender.end()
    t.equal(sink.received, 100 - from)
  }
})

scene('a range beyond the end: the sender is there', {}, (bench, t) => {
  const sender = bench.sender('a', { length: 100 })
  for (const offset of [100, 101, Number.MAX_SAFE_INTEGER]) {
    const refusal = refused(bench.tryReceiver('a', { offset }), 'RANGE_BEYOND_END', t)
    t.same(refusal.values, { found: offset, expected: 100 })
  }
  t.same(sender.source.log, ['waiting'], 'the sender hears nothing of it')
  t.equal(bench.table.get('a')?.receiversPresent, 0)
  const { sink } = bench.receiver('a', { offset: 99 })
  sender.feed(100)
  sender.end()
  t.equal(sink.received, 1)
  t.equal(bench.lastReason, 'complete')
})

scene('a range beyond the end: the receivers came first', {}, (bench, t) => {
  const [beyond, other, alsoBeyond] = [100, 50, 200].map((offset) => bench.receiver('a', { n: 3, offset }))
  const sender = bench.sender('a', { n: 3, length: 100 })
  for (const each of [beyond!, alsoBeyond!]) {
    t.same(each.sink.log, ['refuse RANGE_BEYOND_END'])
    // It is gone, whatever it says.
    each.endpoint.left()
    each.endpoint.drained()
  }
  t.same(other!.sink.log, [], 'the other one waits on')
  t.same(sender.source.log, ['waiting'])
  t.equal(bench.table.get('a')?.receiversPresent, 1, 'their places are free')
  const more = [bench.receiver('a', { n: 3 }), bench.receiver('a', { n: 3 })]
  sender.feed(100)
  sender.end()
  t.same(
    [other!, ...more].map(({ sink }) => sink.received),
    [50, 100, 100],
  )
  t.equal(sender.source.ended, 'complete')
})

scene('a range beyond the end: all of them, so that the sender is alone', {}, (bench, t) => {
  const { sink } = bench.receiver('a', { offset: 10 })
  const deadlines = bench.clock.size
  const sender = bench.sender('a', { length: 10 })
  t.same(sink.log, ['refuse RANGE_BEYOND_END'])
  t.equal(bench.clock.size, deadlines + 1, 'a wait and a reminder of the sender instead of its wait')
  t.equal(bench.table.get('a')?.state, 'waiting')
  sender.leave()
  t.equal(bench.lastReason, 'abandoned')
})

scene('a range beyond the end: the length comes later', {}, (bench, t) => {
  const sender = bench.sender('a', { headLater: true })
  const { sink } = bench.receiver('a', { offset: 10 })
  sender.open(10)
  t.same(sink.log, ['refuse RANGE_BEYOND_END'])
  t.same(sender.source.events, ['waiting', 'receiver_joined', 'receiver_left'])
  bench.receiver('a', { offset: 9 })
  sender.feed(10)
  sender.end()
  t.equal(sender.source.ended, 'complete')
})

scene('a range from the first byte of nothing is nothing', {}, (bench, t) => {
  const { sink } = bench.receiver('a', { offset: 0 })
  const sender = bench.sender('a', { length: 0 })
  sender.end()
  t.same(sink.log, ['begin', 'finish'])
})

scene('a receiver that skips is neither stalled nor slow, and delays nobody', {}, (bench, t) => {
  const sender = bench.sender('a', { n: 2, length: 1000, stallMs: 2000 })
  const slow = bench.receiver('a', { n: 2, room: 10 })
  const skips = bench.receiver('a', { n: 2, offset: 999 })
  sender.feed(200)
  t.notOk(sender.source.paused, 'the one that is slow is less than a window behind')
  sender.feed(66)
  t.ok(sender.source.paused)
  bench.pass(5000)
  t.equal(slow.sink.aborted, 'receivers_stalled')
  t.equal(skips.sink.aborted, undefined)
  t.notOk(sender.source.paused)
  bench.pass(5000)
  t.equal(skips.sink.aborted, undefined, 'nothing has come that it wants')
  sender.feed(733)
  sender.feed(1)
  sender.end()
  t.equal(skips.sink.received, 1)
  t.equal(sender.source.ended, 'complete')
})
