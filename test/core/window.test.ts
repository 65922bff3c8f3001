/** The parts under the fan-out: kept bytes, the pool of slabs, the clock. */
import t, { type Test } from 'tap'
import { Window } from '../../core/flow/window.js'
import { type BorrowedBytes, Clock, keep, type OwnedBytes, own, SlabPool } from '../../core/index.js'
import { lend, streamBytes } from './scripted.js'

/** More than a small piece, so that it is kept in slabs even when nothing else is. */
const LARGE = 5000

function append(window: Window, from: number, length: number): boolean {
  let answer = false
  lend(0, from, length, (bytes) => {
    answer = window.append(bytes, from)
  })
  return answer
}

/** Reads what is kept from `from` to `to`, in the runs that the window hands out. */
function read(window: Window, from: number, to: number): { bytes: Buffer; runs: number[] } {
  const parts: Uint8Array[] = []
  for (let at = from; at < to; at += parts.at(-1)!.byteLength) parts.push(window.at(at))
  return { bytes: Buffer.concat(parts), runs: parts.map((part) => part.byteLength) }
}

function assertHolds(t: Test, window: Window, from: number, to: number): void {
  for (const at of [from, from + 1, Math.floor((from + to) / 2), to - 1]) {
    t.same(read(window, at, to).bytes, Buffer.from(streamBytes(0, at, to - at)), `from ${at}`)
  }
}

t.test('a loan cannot be put where owned bytes belong', async (t) => {
  const queue: OwnedBytes[] = []
  const loan: BorrowedBytes = new Uint8Array([1, 2, 3])
  // @ts-expect-error A loan ends with the call: only a copy may be queued. This line is the test.
  queue.push(loan)
  queue.pop()
  const kept = keep(loan)
  queue.push(kept, own(new Uint8Array(2)))
  const lent: BorrowedBytes = kept
  loan.fill(9)
  t.same([...lent], [1, 2, 3], 'keep() copies')
  const part = keep(new Uint8Array(64).subarray(10, 13))
  t.equal(part.buffer.byteLength, 3, 'and no more than the bytes themselves')
})

t.test('window: keeps a stream in slabs and reads it from any offset', async (t) => {
  const pool = new SlabPool(64, 1000)
  const window = new Window(pool)
  t.equal(window.held, 0)
  t.ok(append(window, 1000, LARGE))
  t.equal(window.held, LARGE)
  t.equal(pool.inUse, Math.ceil(LARGE / 64))
  for (const piece of [1, 63, 64, 65, 200]) t.ok(append(window, 1000 + window.held, piece))
  assertHolds(t, window, 1000, 1000 + LARGE + 393)
  t.throws(() => window.at(1000 + LARGE + 393), RangeError)
  window.release(Number.POSITIVE_INFINITY)
  t.same([window.held, pool.inUse], [0, 0])
  t.throws(() => window.at(1000), RangeError)
})

t.test('window: pieces fill the last slab before another is taken', async (t) => {
  const pool = new SlabPool(64, 1000)
  const window = new Window(pool)
  append(window, 0, 1)
  for (let at = 1; at < 129; at++) append(window, at, 1)
  t.equal(pool.inUse, 2)
  t.same(read(window, 0, 129).runs, [1, 64, 64])
  append(window, 129, 1)
  t.equal(pool.inUse, 3)
  assertHolds(t, window, 0, 130)
})

t.test('window: a small first piece gets memory of its own size, a large one slabs', async (t) => {
  const pool = new SlabPool(8192, 4)
  const small = new Window(pool)
  t.ok(append(small, 7, 4096))
  t.equal(pool.inUse, 0)
  t.equal(small.at(7).buffer.byteLength, 4096)
  t.ok(append(small, 7 + 4096, 10))
  t.equal(pool.inUse, 1)
  assertHolds(t, small, 7, 7 + 4106)
  const large = new Window(pool)
  t.ok(append(large, 7, 4097))
  t.equal(pool.inUse, 2)
  assertHolds(t, large, 7, 7 + 4097)
  small.release(7 + 4096)
  t.same([small.held, pool.inUse], [10, 2], 'memory of its own does not go to the pool')
  small.release(7 + 4106)
  t.same([small.held, pool.inUse], [0, 1])
})

t.test('window: frees whole slabs from the front, and keeps one that is read in the middle', async (t) => {
  const pool = new SlabPool(64, 1000)
  const window = new Window(pool)
  append(window, 0, 64)
  append(window, 64, 3 * 64)
  t.equal(pool.inUse, 3)
  window.release(63)
  t.same([window.held, pool.inUse], [256, 3])
  window.release(64)
  t.same([window.held, pool.inUse], [192, 3])
  window.release(127)
  t.equal(pool.inUse, 3)
  assertHolds(t, window, 64, 256)
  window.release(130)
  t.same([window.held, pool.inUse], [128, 2])
  assertHolds(t, window, 130, 256)
  window.release(130)
  window.release(0)
  t.equal(pool.inUse, 2, 'releasing again, or less, frees nothing')
  append(window, 256, 100)
  assertHolds(t, window, 130, 356)
  window.release(355)
  t.same(read(window, 355, 356).bytes, Buffer.from(streamBytes(0, 355, 1)))
  window.release(356)
  t.same([window.held, pool.inUse], [0, 0])
})

t.test('window: starts again at any offset once it is empty', async (t) => {
  const pool = new SlabPool(64, 1000)
  const window = new Window(pool)
  append(window, 0, 10)
  window.release(10)
  append(window, 500, LARGE)
  t.equal(window.held, LARGE)
  assertHolds(t, window, 500, 500 + LARGE)
})

t.test('window: says so when the pool is used up', async (t) => {
  const pool = new SlabPool(64, 2)
  const window = new Window(pool)
  t.ok(append(window, 0, 10))
  t.ok(append(window, 10, 128))
  t.notOk(append(window, 138, 1))
  const other = new Window(pool)
  t.ok(append(other, 0, 10), 'a small first piece needs no slab')
  t.notOk(append(other, 10, 1))
  window.release(74)
  t.ok(append(other, 10, 64), 'a slab that came back serves another window')
  assertHolds(t, other, 0, 74)
  t.notOk(append(window, 138, 1))
})

t.test('window: a chunk that does not fit whole is refused, and everything comes back', async (t) => {
  const pool = new SlabPool(64, 2)
  const window = new Window(pool)
  t.notOk(append(window, 0, LARGE))
  t.equal(pool.inUse, 2)
  window.release(Number.POSITIVE_INFINITY)
  t.equal(pool.inUse, 0)
})

t.test('slab pool: is bounded, makes what is asked for, and uses it again', async (t) => {
  const made: number[] = []
  const pool = new SlabPool(32, 2, (bytes) => {
    made.push(bytes)
    return new Uint8Array(new SharedArrayBuffer(bytes)).fill(7)
  })
  t.same(made, [], 'nothing is made before it is needed')
  const one = pool.acquire()!
  t.equal(one.byteLength, 32)
  t.ok(one.buffer instanceof SharedArrayBuffer, 'the memory may be shared')
  t.ok(
    one.every((byte) => byte === 0),
    'every byte was touched',
  )
  const two = pool.acquire()!
  t.not(one, two)
  t.equal(pool.acquire(), undefined)
  t.equal(pool.inUse, 2)
  pool.release(one)
  t.equal(pool.inUse, 1)
  t.equal(pool.acquire(), one)
  t.equal(pool.acquire(), undefined)
  pool.release(one)
  pool.release(two)
  t.equal(pool.inUse, 0)
  t.same(made, [32, 32])
})

t.test('clock: runs what is due, once, in the order in which it was asked for', async (t) => {
  let now = 100
  const ran: string[] = []
  const clock = new Clock(() => now)
  clock.after(20, () => ran.push('b'))
  clock.after(10, () => ran.push('a'))
  clock.after(11, () => ran.push('later'))
  t.equal(clock.size, 3)
  now = 109
  clock.tick()
  t.same(ran, [])
  now = 110
  clock.tick()
  t.same(ran, ['a'])
  now = 120
  clock.tick()
  clock.tick()
  t.same(ran, ['a', 'b', 'later'])
  t.equal(clock.size, 0)
})

t.test('clock: a cancelled call does not come, not even in the beat that cancels it', async (t) => {
  let now = 0
  const ran: string[] = []
  const clock = new Clock(() => now)
  const early = clock.after(10, () => ran.push('early'))
  clock.after(10, () => {
    ran.push('first')
    second.cancel()
    second.cancel()
  })
  const second = clock.after(10, () => ran.push('second'))
  early.cancel()
  t.equal(clock.size, 2)
  now = 10
  clock.tick()
  t.same(ran, ['first'])
  t.equal(clock.size, 0)
  early.cancel()
})

t.test('clock: what a run adds counts at once', async (t) => {
  let now = 0
  const ran: string[] = []
  const clock = new Clock(() => now)
  clock.after(10, () => {
    ran.push('first')
    clock.after(0, () => ran.push('due already'))
    clock.after(1, () => ran.push('not yet'))
  })
  now = 10
  clock.tick()
  t.same(ran, ['first', 'due already'])
  t.equal(clock.size, 1)
  now = 11
  clock.tick()
  t.same(ran, ['first', 'due already', 'not yet'])
})

t.test(
  'the share of a transfer narrows from half of the memory on, and those who can do without stop there',
  async (t) => {
    const pool = new SlabPool(64, 8)
    const shares = [pool.share(100)]
    for (let i = 0; i < 8; i++) {
      t.ok(pool.acquire())
      shares.push(pool.share(100))
    }
    t.same(shares, [100, 100, 100, 100, 100, 75, 50, 25, 0])
    const other = new SlabPool(64, 8)
    for (let i = 0; i < 5; i++) t.ok(other.acquire(true), 'from the first half')
    t.equal(other.acquire(true), undefined)
    t.ok(other.acquire(), 'those who must have it still get it')
  },
)
