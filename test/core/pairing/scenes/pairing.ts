/** Senders and receivers meet on a name, in every order. */
import t from 'tap'
import { Clock, PipeTable, Refusal, SlabPool } from '../../../../core/index.js'
import { BENCH_LIMITS } from '../../fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../../fakes/sides.js'
import { FakeSink } from '../../fakes/sink.js'
import { FakeSource } from '../../fakes/source.js'
import { orders, scene, whole } from './scene.js'

for (const n of [1, 2, 3]) {
  const sides = ['S', ...Array.from({ length: n }, (_, i) => `R${i}`)]
  for (const order of orders(sides)) {
    scene(`n=${n}: ${order.join(' ')}`, {}, (bench, t) => {
      let sender: FakeSender | undefined
      const receivers: FakeReceiver[] = []
      order.forEach((side, i) => {
        const view = bench.table.get('a')
        t.equal(view?.state, i === 0 ? undefined : 'waiting')
        t.equal(bench.table.waiting, i === 0 ? 0 : 1)
        t.equal(bench.table.streaming, 0)
        for (const { sink } of receivers) t.same(sink.log, [], 'nothing goes out before all are there')
        if (side === 'S') sender = bench.sender('a', { n })
        else receivers.push(bench.receiver('a', { n }))
      })
      const { source } = sender!
      t.equal(bench.table.get('a')?.state, 'streaming')
      t.equal(bench.table.waiting, 0)
      t.equal(bench.table.streaming, 1)
      sender!.feed(100)
      sender!.feed(23)
      for (const { sink } of receivers) t.equal(sink.received, 123, 'bytes arrive at once')
      sender!.end()
      for (const { sink } of receivers) {
        t.same(sink.log, ['begin', 'finish'])
        t.same(sink.bytes, whole(sender!))
        t.same(sink.offers, [100, 23], 'a chunk is handed on as it came')
      }
      const late = order.length - 1 - order.indexOf('S')
      t.same(source.log, [
        'waiting',
        ...Array<string>(late).fill('receiver_joined'),
        'streaming',
        'resume',
        'uploaded',
        'end complete',
      ])
      t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
    })
  }
}

scene('the view tells the state, and is the same object for the whole life', {}, (bench, t) => {
  bench.now = 5
  const receiver = bench.receiver('a', { n: 2 })
  const view = bench.table.get('a')!
  t.match(view, { key: 'a', state: 'waiting', transferId: '', hasSender: false, receiversWanted: 2 })
  t.match(view, { receiversPresent: 1, bytesIn: 0, bytesOut: 0, openedAt: 5 })
  t.equal(view.expectedBytes, undefined)
  bench.now = 7
  const sender = bench.sender('a', { n: 2, expectedBytes: 500 })
  sender.feed(30)
  t.match(view, { hasSender: true, transferId: 'transfer-0', bytesIn: 30, bytesOut: 0, expectedBytes: 500 })
  t.equal(view.pairedAt, undefined)
  bench.now = 9
  const other = bench.receiver('a', { n: 2, room: 10 })
  t.equal(bench.table.get('a'), view)
  t.match(view, { state: 'streaming', receiversPresent: 2, bytesIn: 30, bytesOut: 10, pairedAt: 9 })
  t.equal(view.endedAt, undefined)
  t.equal(view.endReason, undefined)
  receiver.leave()
  t.match(view, { receiversPresent: 1, bytesOut: 10 })
  bench.now = 11
  sender.end()
  other.drain()
  t.match(view, { state: 'ended', endReason: 'complete', endedAt: 11, bytesIn: 30, bytesOut: 30, key: 'a' })
})

scene('an announced length takes precedence over a hinted one', {}, (bench, t) => {
  const sender = bench.sender('a', { length: 10, expectedBytes: 99 })
  t.equal(bench.table.get('a')?.expectedBytes, 10)
  sender.leave()
})

scene('the head reaches every receiver', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })]
  const sender = bench.sender('a', { n: 2, length: 0 })
  for (const { sink } of receivers) t.equal(sink.head, sender.endpoint.head)
  sender.end()
})

t.test('a table needs no observer', async (t) => {
  const table = new PipeTable(BENCH_LIMITS, new Clock(() => 0), new SlabPool(64, 4))
  const source = new FakeSource()
  const options = { receivers: 1, waitMs: 1000, stallMs: 0, transferId: 'x', expectedBytes: undefined }
  const endpoint = table.joinSender('a', source, { length: undefined, fields: [] }, options)
  const sink = new FakeSink()
  table.joinReceiver('a', sink, options)
  if (!(endpoint instanceof Refusal)) endpoint.end()
  t.equal(source.ended, 'complete')
  t.same(sink.log, ['begin', 'finish'])
})

scene('pipes on different names are independent', {}, (bench, t) => {
  const here = bench.sender('a')
  const there = bench.sender('b')
  const atB = bench.receiver('b')
  t.equal(bench.table.waiting, 1)
  t.equal(bench.table.streaming, 1)
  there.feed(10)
  there.end()
  t.equal(atB.sink.received, 10)
  t.same(here.source.events, ['waiting'])
  const atA = bench.receiver('a')
  here.feed(20)
  here.end()
  t.equal(atA.sink.received, 20)
})

scene('a name is free the moment its transfer ends', {}, (bench, t) => {
  for (let round = 0; round < 3; round++) {
    const receiver = bench.receiver('a', { n: 1 })
    const sender = bench.sender('a', { n: 1 })
    sender.feed(50)
    sender.end()
    t.equal(receiver.sink.received, 50)
    t.equal(bench.table.get('a'), undefined)
  }
})

scene('a name is free again before either side is told', {}, (bench, t) => {
  const free: boolean[] = []
  const sender = bench.sender('a', { n: 2 })
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })]
  for (const { sink } of receivers) sink.abort = () => free.push(bench.table.get('a') === undefined)
  sender.source.end = () => free.push(bench.table.get('a') === undefined)
  sender.leave()
  t.same(free, [true, true, true])
})
