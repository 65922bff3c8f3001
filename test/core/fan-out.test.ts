/** The hot path alone: one stream in, several copies out, no pairing around it. */
import assert from 'node:assert/strict'
import t, { type Test } from 'tap'
import { Cursor } from '../../core/flow/cursor.js'
import { FanOut, type FanOutListener } from '../../core/flow/fan-out.js'
import { type PipeView, SlabPool } from '../../core/index.js'
import { FakeSink, FakeSource, lend, streamBytes } from './scripted.js'

const VIEW = {} as PipeView
const HEAD = { length: undefined, fields: [['stream', '0']] } as const

interface RigOptions {
  readonly rooms: readonly number[]
  readonly windowBytes?: number
  readonly holdBytes?: number
  readonly maxSlabs?: number
  /** Shared with other rigs. */
  readonly pool?: SlabPool
  readonly finishesAtOnce?: boolean
}

/** A fan-out with its cursors, and an owner that records. */
class Rig implements FanOutListener {
  readonly pool: SlabPool
  readonly source = new FakeSource()
  readonly sinks: FakeSink[]
  readonly cursors: Cursor[]
  readonly fanOut: FanOut
  clock = 0
  finishes = 0
  overflows = 0
  #fed = 0

  constructor({
    rooms,
    windowBytes = 256,
    holdBytes = 1024,
    maxSlabs = 64,
    finishesAtOnce = true,
    pool = new SlabPool(64, maxSlabs),
  }: RigOptions) {
    this.pool = pool
    this.sinks = rooms.map((room) => new FakeSink(room, finishesAtOnce))
    this.cursors = this.sinks.map((sink) => new Cursor(sink))
    this.source.notify('waiting', VIEW)
    this.fanOut = new FanOut(this.source, { windowBytes, holdBytes }, this.pool, this)
  }

  static flowing(options: RigOptions): Rig {
    const rig = new Rig(options)
    rig.start()
    return rig
  }

  start(): void {
    this.fanOut.start(this.cursors, HEAD, VIEW)
  }

  now(): number {
    return this.clock
  }

  streamFinished(): void {
    this.finishes++
  }

  streamOverflowed(): void {
    this.overflows++
  }

  feed(length: number): Uint8Array {
    const from = this.#fed
    this.#fed += length
    return lend(0, from, length, (bytes) => this.fanOut.feed(bytes))
  }

  drain(i: number, room = Number.POSITIVE_INFINITY): void {
    const sink = this.sinks[i]!
    sink.room = room
    sink.full = false
    this.fanOut.drained(this.cursors[i]!)
  }

  leave(i: number): void {
    this.cursors[i]!.present = false
    this.sinks[i]!.deaf = true
    this.fanOut.settle()
  }

  get received(): number[] {
    return this.sinks.map((sink) => sink.received)
  }

  get taken(): number[] {
    return this.cursors.map((cursor) => cursor.taken)
  }

  /** What each sink has is the front of the stream, byte for byte. */
  assertWhole(t: Test): void {
    t.same(this.received, this.taken)
    for (const sink of this.sinks) t.same(sink.bytes, Buffer.from(streamBytes(0, 0, sink.received)))
  }
}

t.test('a chunk that every cursor takes is handed on as it is: one call each, no copy', async (t) => {
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

t.test('what a cursor does not take is kept, offered again, and freed', async (t) => {
  const rig = Rig.flowing({ rooms: [10] })
  rig.feed(30)
  rig.feed(200)
  t.same(rig.sinks[0]!.offers, [30], 'who is full is offered nothing')
  t.same([rig.fanOut.bytesIn, rig.fanOut.slowest, rig.fanOut.held], [230, 10, 220])
  rig.drain(0, 100)
  t.same([rig.received[0], rig.fanOut.slowest], [110, 110])
  rig.drain(0, 0)
  t.equal(rig.received[0], 110)
  rig.drain(0)
  t.same([rig.received[0], rig.fanOut.held, rig.pool.inUse], [230, 0, 0])
  rig.feed(20)
  t.equal(rig.sinks[0]!.offers.at(-1), 20, 'and then the way is direct again')
  rig.assertWhole(t)
})

t.test('kept bytes are copies, whatever the sizes', async (t) => {
  // The loan is spoilt when feed() returns: a piece that was kept without a copy arrives wrong.
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

t.test('only the end of a chunk that all have begun is kept', async (t) => {
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

t.test('every cursor has its own cursor', async (t) => {
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

t.test('a fast cursor runs ahead of a slow one up to the window, and is not held before it', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity, 0] })
  for (let fed = 1; fed <= 255; fed++) {
    rig.feed(1)
    if (rig.received[0] !== fed) t.fail(`the fast cursor was held at ${fed}`)
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

t.test('the source pauses as soon as nobody can take more, and flows when one can', async (t) => {
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
  t.notOk(two.source.paused, 'the slow one is not a window behind, so it holds nobody')
})

t.test('chunks that come after the pause are kept, up to holdBytes', async (t) => {
  const rig = Rig.flowing({ rooms: [0, Infinity], holdBytes: 600 })
  rig.feed(256)
  rig.feed(144)
  rig.feed(200)
  t.equal(rig.overflows, 0)
  t.equal(rig.fanOut.held, 600)
  t.equal(rig.received[1], 600, 'and handed on to who can take them')
  rig.drain(0, 100)
  rig.feed(100)
  t.equal(rig.overflows, 0)
  rig.feed(1)
  t.equal(rig.overflows, 1)
  t.equal(rig.source.log.filter((entry) => entry === 'pause').length, 1)
  rig.fanOut.discard()
  t.equal(rig.pool.inUse, 0)
})

t.test('a stream that everybody takes never overflows, however large its chunks', async (t) => {
  const rig = Rig.flowing({ rooms: [Infinity], holdBytes: 600 })
  rig.feed(5000)
  t.equal(rig.overflows, 0)
})

t.test('the pool is used up', async (t) => {
  const rig = Rig.flowing({ rooms: [0], maxSlabs: 2 })
  rig.feed(10)
  rig.feed(128)
  t.equal(rig.overflows, 0)
  rig.feed(1)
  t.equal(rig.overflows, 1)
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
    sink.begin = (head, view) => {
      order.push(`begin ${i}`)
      begin(head, view)
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

t.test('a start with more than the window kept does not resume the source', async (t) => {
  const rig = new Rig({ rooms: [0, Infinity] })
  rig.feed(400)
  rig.start()
  t.ok(rig.source.paused)
  rig.drain(0, 400 - 128)
  t.notOk(rig.source.paused)
})

t.test('a cursor that leaves holds nobody, and gives back what was kept for it', async (t) => {
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

t.test('the end comes when the last cursor has handed on the last byte', async (t) => {
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

t.test('a source that has ended is neither paused nor resumed', async (t) => {
  const rig = Rig.flowing({ rooms: [0] })
  rig.feed(300)
  rig.fanOut.end()
  rig.drain(0)
  t.same(rig.source.log, ['waiting', 'resume', 'pause'])
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
  t.equal(rig.fanOut.stalled(1500, 500), third, 'who moved is left alone')
  rig.leave(2)
  t.equal(rig.fanOut.stalled(1999, 500), undefined)
  t.equal(rig.fanOut.stalled(2000, 500), second)
  rig.drain(1)
  t.equal(rig.fanOut.stalled(9000, 500), undefined, 'nothing waits for it')
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

t.test('when memory is scarce the window narrows instead of anybody failing', async (t) => {
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

t.test('many that begin one after the other, with a receiver each that takes nothing', async (t) => {
  const KIB = 1024
  const pool = new SlabPool(64 * KIB, 128)
  const rigs = Array.from(
    { length: 30 },
    () => new Rig({ rooms: [0, Infinity], windowBytes: 1024 * KIB, holdBytes: 4096 * KIB, pool }),
  )
  // All of them are ready to be read: what begins late finds those before it still reading.
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

t.test('when others use all memory, who needs none goes on', async (t) => {
  const rig = Rig.flowing({ rooms: [10, Infinity], maxSlabs: 4 })
  const others = Array.from({ length: 4 }, () => rig.pool.acquire()!)
  rig.feed(10)
  t.equal(rig.source.paused, false)
  rig.feed(10)
  t.equal(rig.source.paused, true, 'what one cannot take counts')
  rig.leave(0)
  t.equal(rig.source.paused, false, 'nobody is behind, although there is no window')
  rig.feed(10)
  t.equal(rig.source.paused, false)
  for (const slab of others) rig.pool.release(slab)
})

t.test('who waits leaves half of the memory to those who stream', async (t) => {
  const waits = new Rig({ rooms: [0], maxSlabs: 8 })
  waits.feed(10)
  waits.feed(5 * 64)
  t.equal(waits.overflows, 0, 'a small first piece needs no slab, and five are there to be had')
  waits.feed(1)
  t.equal(waits.overflows, 1)
})
