/** The hot path alone: one stream in, several copies out, without pairing. */
import assert from 'node:assert/strict'
import t from 'tap'
import { Rig } from './rig.js'

t.test('a chunk that every sink takes is handed on as it is: one call each, no copy', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity, Infinity] })
  for (const length of [1, 64, 5000]) {
    const loan = rig.feed(length)
    for (const sink of rig.sinks) t.equal(sink.lastMemory, loan.buffer, 'the very memory that was lent')
  }
  for (const sink of rig.sinks) t.same(sink.offers, [1, 64, 5000])
  t.equal(rig.fanOut.held, 0)
  t.equal(rig.pool.inUse, 0)
  t.same(rig.source.log, ['waiting', 'resume'])
  rig.assertWhole(t)
})

t.test('what a sink does not take is kept, offered again, and freed', async (t) => {
  const rig = Rig.flowing({ rooms: [10] })
  rig.feed(30)
  rig.feed(200)
  t.same(rig.sinks[0]!.offers, [30], 'a full sink is offered nothing')
  t.same([rig.fanOut.bytesIn, rig.fanOut.slowest, rig.fanOut.held], [230, 10, 220])
  rig.drain(0, 100)
  t.same([rig.received[0], rig.fanOut.slowest], [110, 110])
  rig.drain(0, 0)
  t.equal(rig.received[0], 110)
  rig.drain(0)
  t.same([rig.received[0], rig.fanOut.held, rig.pool.inUse], [230, 0, 0])
  rig.feed(20)
  t.equal(rig.sinks[0]!.offers.at(-1), 20, 'and then chunks are handed on directly again')
  rig.assertWhole(t)
})

t.test('kept bytes are copies, whatever the sizes', async (t) => {
  // The loan is overwritten when feed() returns: a piece that was kept without a copy arrives wrong.
  for (const size of [1, 63, 64, 65, 127, 256, 300]) {
    const rig = Rig.flowing({ rooms: [0, 5, 64] })
    while (rig.fanOut.bytesIn + size <= 1024) rig.feed(size)
    for (const i of [0, 1, 2]) rig.drain(i, 33)
    for (const i of [2, 0, 1]) rig.drain(i)
    t.same(rig.received, Array(3).fill(rig.fanOut.bytesIn))
    t.same([rig.fanOut.held, rig.pool.inUse], [0, 0])
    rig.assertWhole(t)
  }
})

t.test('only the end of a chunk that all receivers have begun is kept', async (t) => {
  const rig = Rig.flowing({ rooms: [40, 25] })
  rig.feed(100)
  t.equal(rig.fanOut.held, 75)
  rig.drain(0)
  t.equal(rig.fanOut.held, 75)
  rig.drain(1)
  rig.assertWhole(t)
})

t.test('a small piece that is kept alone takes no slab', async (t) => {
  const rig = Rig.flowing({ rooms: [0] })
  rig.feed(50)
  t.same([rig.fanOut.held, rig.pool.inUse], [50, 0])
  rig.feed(1)
  t.same([rig.fanOut.held, rig.pool.inUse], [51, 1])
  rig.drain(0)
  t.same([rig.fanOut.held, rig.pool.inUse], [0, 0])
})

t.test('every receiver has its own cursor', async (t) => {
  const rig = Rig.flowing({ rooms: [100, 50, 0] })
  rig.feed(150)
  t.same(rig.taken, [100, 50, 0])
  t.equal(rig.fanOut.slowest, 0)
  rig.drain(2, 60)
  t.same(rig.taken, [100, 50, 60])
  t.equal(rig.fanOut.slowest, 50)
  rig.drain(1, 10)
  t.equal(rig.fanOut.slowest, 60)
  rig.drain(0)
  t.same(rig.taken, [150, 60, 60])
  rig.drain(1)
  rig.drain(2)
  t.equal(rig.fanOut.slowest, 150)
  rig.assertWhole(t)
})

t.test('before the start everything is kept, and then offered', async (t) => {
  const rig = new Rig({ rooms: [Infinity, 70] })
  rig.feed(50)
  rig.feed(100)
  t.same([rig.fanOut.held, rig.fanOut.slowest], [150, 0])
  t.ok(rig.source.paused)
  rig.start()
  t.same(rig.received, [150, 70])
  for (const sink of rig.sinks) t.same(sink.log, ['begin'])
  t.notOk(rig.source.paused)
  rig.feed(10)
  rig.drain(1)
  t.same(rig.received, [160, 160])
  rig.assertWhole(t)
})

t.test('every sink is begun before the first byte goes to any of them', async (t) => {
  const order: string[] = []
  const rig = new Rig({ rooms: [Infinity, Infinity] })
  rig.sinks.forEach((sink, i) => {
    const begin = sink.begin.bind(sink)
    const write = sink.write.bind(sink)
    sink.begin = (head, view, offset) => {
      order.push(`begin ${i}`)
      begin(head, view, offset)
    }
    sink.write = (bytes) => {
      order.push(`write ${i}`)
      return write(bytes)
    }
  })
  rig.feed(10)
  rig.start()
  t.same(order, ['begin 0', 'begin 1', 'write 0', 'write 1'])
})

t.test('a receiver that leaves delays no one, and what was kept for it is freed', async (t) => {
  const rig = Rig.flowing({ rooms: [200, 0, Infinity] })
  rig.feed(300)
  t.ok(rig.source.paused)
  rig.leave(1)
  t.notOk(rig.source.paused)
  t.equal(rig.fanOut.slowest, 200)
  t.ok(rig.pool.inUse <= Math.ceil(100 / 64) + 1)
  rig.feed(20)
  rig.drain(0)
  t.same(rig.received, [320, 0, 320])
  t.equal(rig.pool.inUse, 0)
  rig.drain(1)
  t.equal(rig.received[1], 0, 'and is offered nothing any more')
})

t.test('the stream is finished when the last sink has handed on the last byte', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity, 10], finishesAtOnce: false })
  rig.feed(50)
  rig.fanOut.end()
  t.ok(rig.fanOut.sourceEnded)
  t.same(rig.sinks[0]!.log, ['begin', 'finish'])
  t.same(rig.sinks[1]!.log, ['begin'], 'not before it has all bytes')
  rig.fanOut.finished(rig.cursors[0]!)
  t.equal(rig.finishes, 0)
  rig.drain(1)
  t.same(rig.sinks[1]!.log, ['begin', 'finish'])
  t.equal(rig.finishes, 0)
  rig.fanOut.finished(rig.cursors[1]!)
  t.equal(rig.finishes, 1)
  rig.fanOut.finished(rig.cursors[1]!)
  t.equal(rig.finishes, 1)
})

t.test('progress grows when a byte is read, taken, or handed on, and only then', async (t) => {
  const rig = Rig.flowing({ rooms: [0], finishesAtOnce: false })
  let last = rig.fanOut.progress
  const moved = (): boolean => {
    const grew = rig.fanOut.progress > last
    last = rig.fanOut.progress
    return grew
  }
  rig.feed(10)
  t.ok(moved())
  rig.drain(0, 0)
  t.notOk(moved())
  rig.drain(0, 1)
  t.ok(moved())
  rig.drain(0)
  moved()
  rig.fanOut.end()
  t.notOk(moved())
  rig.fanOut.finished(rig.cursors[0]!)
  t.ok(moved())
})

t.test('stalled() names the first cursor that has not moved although bytes wait', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity, 5, 5] })
  const [, second, third] = rig.cursors
  rig.feed(10)
  t.equal(rig.fanOut.stalled(1000, 500), undefined, 'the first look only remembers')
  t.equal(rig.fanOut.stalled(1499, 500), undefined)
  rig.drain(1, 1)
  t.equal(rig.fanOut.stalled(1500, 500), third, 'a cursor that moved is left alone')
  rig.leave(2)
  t.equal(rig.fanOut.stalled(1999, 500), undefined)
  t.equal(rig.fanOut.stalled(2000, 500), second)
  rig.drain(1)
  t.equal(rig.fanOut.stalled(9000, 500), undefined, 'no bytes wait for it')
})

t.test('a chunk of no bytes changes nothing', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity, 10] })
  rig.feed(0)
  rig.feed(20)
  rig.feed(0)
  t.same(rig.received, [20, 10])
  assert.equal(rig.fanOut.held, 10)
  rig.drain(1)
  rig.assertWhole(t)
})

t.test('what has arrived, of each receiver: what was taken without what is on its way', async (t) => {
  const rig = new Rig({ rooms: [Infinity, Infinity, Infinity], offsets: [0, 0, 10], length: 1000 })
  t.same([rig.fanOut.delivered, rig.fanOut.deliveries], [0, []], 'nothing before it flows')
  rig.start()
  const [first, second, third] = rig.sinks
  // The head is on its way, and no byte of the stream.
  second!.inFlight = 5
  const arrived = () => rig.fanOut.deliveries.map(({ delivered }) => delivered)
  t.same([rig.fanOut.delivered, arrived()], [0, [0, 0, 0]])
  rig.feed(40)
  first!.inFlight = 15
  second!.inFlight = 45
  third!.inFlight = 32
  t.same([rig.fanOut.delivered, arrived()], [0, [25, 0, 10]], 'what it did not want it has')
  second!.inFlight = 30
  third!.inFlight = 0
  t.same([rig.fanOut.delivered, arrived()], [10, [25, 10, 40]])
  t.equal(rig.fanOut.slowest, 40, 'and all of it was taken')
  rig.leave(1)
  t.same([rig.fanOut.delivered, arrived()], [25, [25, 40, 40]])
  t.same(
    rig.fanOut.deliveries.map(({ from, present }) => [from, present]),
    [
      [0, true],
      [0, false],
      [10, true],
    ],
  )
})
