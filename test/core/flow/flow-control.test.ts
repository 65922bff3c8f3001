/** When a source is paused and resumed, and what is kept meanwhile. */
import t from 'tap'
import { SlabPool } from '../../../core/index.js'
import { Rig } from './rig.js'

t.test('a fast receiver runs ahead of a slow one up to the window, and is not delayed before', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity, 0] })
  for (let fed = 1; fed <= 255; fed++) {
    rig.feed(1)
    if (rig.received[0] !== fed) t.fail(`the fast receiver was delayed at ${fed}`)
    if (rig.source.paused) t.fail(`paused at ${fed}, before the window was full`)
  }
  rig.feed(1)
  t.ok(rig.source.paused, 'the window is full')
  t.same(rig.received, [256, 0])
})

t.test('paused at the window, resumed at half of it', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity, 0] })
  rig.feed(255)
  t.notOk(rig.source.paused)
  rig.feed(100)
  t.ok(rig.source.paused)
  rig.drain(1, 355 - 129)
  t.ok(rig.source.paused, '129 bytes behind: more than half')
  rig.drain(1, 1)
  t.notOk(rig.source.paused, '128 bytes behind: half')
  rig.feed(127)
  t.notOk(rig.source.paused)
  rig.feed(1)
  t.ok(rig.source.paused)
  rig.drain(1)
  t.same(rig.source.log, ['waiting', 'resume', 'pause', 'resume', 'pause', 'resume'])
  rig.assertWhole(t)
})

t.test('the source pauses as soon as no receiver can take more, and flows when one can', async (t) => {
  const one = Rig.flowing({ rooms: [0] })
  one.feed(1)
  t.ok(one.source.paused, 'what would be read could only be kept')
  one.drain(0, 1)
  t.ok(one.source.paused, 'it took the byte and is full again')
  one.drain(0, 10)
  t.notOk(one.source.paused)
  const two = Rig.flowing({ rooms: [10, 0] })
  two.feed(9)
  t.notOk(two.source.paused, 'one of them can take more')
  two.feed(1)
  t.ok(two.source.paused, 'it took all, and said that it is full')
  two.drain(0, 5)
  t.notOk(two.source.paused, 'the slow one is not a window behind, so it delays no one')
})

t.test('chunks that come after the pause are kept, up to holdBytes', async (t) => {
  const rig = Rig.flowing({ rooms: [0, Infinity], holdBytes: 600 })
  rig.feed(256)
  rig.feed(144)
  rig.feed(200)
  t.equal(rig.overflows, 0)
  t.equal(rig.fanOut.held, 600)
  t.equal(rig.received[1], 600, 'and handed on to the receiver that can take them')
  rig.drain(0, 100)
  rig.feed(100)
  t.equal(rig.overflows, 0)
  rig.feed(1)
  t.equal(rig.overflows, 1)
  t.equal(rig.source.log.filter((entry) => entry === 'pause').length, 1)
  rig.fanOut.discard()
  t.equal(rig.pool.inUse, 0)
})

t.test('a stream that every receiver takes never overflows, however large its chunks', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity], holdBytes: 600 })
  rig.feed(5000)
  t.equal(rig.overflows, 0)
})

t.test('the pool is used up', async (t) => {
  const rig = Rig.flowing({ rooms: [0], maxSlabs: 3 })
  rig.feed(10)
  rig.feed(128)
  t.equal(rig.overflows, 0)
  rig.feed(1)
  t.equal(rig.overflows, 1)
})

t.test('a start with more than the window kept does not resume the source', async (t) => {
  const rig = new Rig({ rooms: [0, Infinity] })
  rig.feed(400)
  rig.start()
  t.ok(rig.source.paused)
  rig.drain(0, 400 - 128)
  t.notOk(rig.source.paused)
})

t.test('a source that has ended is neither paused nor resumed', async (t) => {
  const rig = Rig.flowing({ rooms: [0] })
  rig.feed(300)
  rig.fanOut.end()
  rig.drain(0)
  t.same(rig.source.log, ['waiting', 'resume', 'pause'])
  t.equal(rig.finishes, 1)
})

t.test('when memory is scarce the window narrows, and no transfer fails', async (t) => {
  const rig = Rig.flowing({ rooms: [0, Infinity], maxSlabs: 10 })
  const others = Array.from({ length: 5 }, () => rig.pool.acquire()!)
  rig.feed(64)
  t.equal(rig.source.paused, false, 'a quarter of a window is half of what is allowed now')
  rig.feed(64)
  t.equal(rig.source.paused, true, 'paused before its window of 256 is full')
  t.equal(rig.overflows, 0)
  for (const slab of others) rig.pool.release(slab)
  rig.drain(0)
  t.equal(rig.source.paused, false)
  rig.feed(192)
  rig.assertWhole(t)
})

t.test('many transfers that begin one after the other, each with a receiver that takes nothing', async (t) => {
  const KIB = 1024
  const pool = new SlabPool(64 * KIB, 128)
  const rigs = Array.from(
    { length: 30 },
    () => new Rig({ rooms: [0, Infinity], windowBytes: 1024 * KIB, holdBytes: 4096 * KIB, pool }),
  )
  // All sources flow, so a transfer that begins late finds those before it still reading.
  for (const rig of rigs) rig.start()
  for (const rig of rigs) {
    rig.feed(32 * KIB)
    while (!rig.source.paused && rig.overflows === 0) rig.feed(64 * KIB)
    t.equal(rig.overflows, 0, `${pool.inUse} of 128 slabs`)
  }
  t.equal(pool.flowingSources, 0)
  for (const rig of rigs) {
    rig.drain(0)
    t.equal(rig.source.paused, false)
    rig.assertWhole(t)
  }
  t.equal(pool.flowingSources, 30)
  for (const [i, rig] of rigs.entries()) {
    if (i % 2 === 0) rig.fanOut.end()
    rig.fanOut.discard()
  }
  t.same([pool.inUse, pool.flowingSources], [0, 0])
})

t.test('when others use all memory that is not set aside, a transfer that needs none goes on', async (t) => {
  const rig = Rig.flowing({ rooms: [10, Infinity], maxSlabs: 4 })
  const others = Array.from({ length: 3 }, () => rig.pool.acquire()!)
  rig.feed(10)
  t.equal(rig.source.paused, false)
  rig.feed(10)
  t.equal(rig.source.paused, true, 'what a receiver cannot take counts')
  rig.leave(0)
  t.equal(rig.source.paused, false, 'no receiver is behind, although there is no window')
  rig.feed(10)
  t.equal(rig.source.paused, false)
  for (const slab of others) rig.pool.release(slab)
})

t.test('a waiting sender leaves half of the memory to transfers that stream', async (t) => {
  const waits = new Rig({ rooms: [0], maxSlabs: 8 })
  waits.feed(10)
  waits.feed(5 * 64)
  t.equal(waits.overflows, 0, 'a small first piece needs no slab, and five are available')
  waits.feed(1)
  t.equal(waits.overflows, 1)
})
