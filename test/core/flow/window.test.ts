import t, { type Test } from 'tap'
import { type KeptFor, Window } from '../../../core/flow/window.js'
import { SlabPool } from '../../../core/index.js'
import { lend, streamBytes } from '../fakes/stream-bytes.js'

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

t.test('keeps a stream in slabs and reads it from any offset', async (t) => {
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

t.test('pieces fill the last slab before another is taken', async (t) => {
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

t.test('a small first piece gets memory of its own size, a large one slabs', async (t) => {
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

t.test('frees whole slabs from the front, and keeps one that is read in the middle', async (t) => {
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

t.test('starts again at any offset once it is empty', async (t) => {
  const pool = new SlabPool(64, 1000)
  const window = new Window(pool)
  append(window, 0, 10)
  window.release(10)
  append(window, 500, LARGE)
  t.equal(window.held, LARGE)
  assertHolds(t, window, 500, 500 + LARGE)
})

t.test('says so when the pool is used up', async (t) => {
  const pool = new SlabPool(64, 3)
  const window = new Window(pool)
  t.ok(append(window, 0, 10))
  t.ok(append(window, 10, 128))
  t.notOk(append(window, 138, 1))
  const other = new Window(pool)
  t.ok(append(other, 0, 54))
  const third = new Window(pool)
  t.notOk(append(third, 0, 1), 'a small piece counts as well')
  window.release(74)
  t.ok(append(other, 54, 64), 'what came back serves another window')
  assertHolds(t, other, 0, 118)
  t.notOk(append(window, 138, 1))
})

t.test('for a stream that waits every piece gets memory of its own size, from the first half only', async (t) => {
  const pool = new SlabPool(64, 1000)
  const window = new Window(pool)
  const waits = (from: number, length: number, keptFor: KeptFor) =>
    lend(0, from, length, (bytes) => t.ok(window.append(bytes, from, keptFor)))
  waits(0, 3000, 'waiting')
  waits(3000, 5000, 'promised')
  t.same([pool.inUse, pool.heldBytes, window.held], [0, 8000, 8000])
  t.same(read(window, 0, 8000).runs, [3000, 5000])
  assertHolds(t, window, 0, 8000)
  waits(8000, 5, 'streaming')
  t.same([pool.inUse, pool.heldBytes], [1, 8064], 'slabs from the start on')
  t.ok(pool.take(40_000))
  lend(0, 8005, 10, (bytes) => t.notOk(window.append(bytes, 8005, 'waiting')))
  waits(8005, 10, 'promised')
  window.release(Number.POSITIVE_INFINITY)
  t.equal(pool.heldBytes, 40_000)
})

t.test('for a crowd a read is kept in one piece, while there is enough memory', async (t) => {
  const pool = new SlabPool(1024, 27)
  const window = new Window(pool)
  const crowd = (from: number, length: number) =>
    lend(0, from, length, (bytes) => t.ok(window.append(bytes, from, 'crowd')))
  crowd(0, 7168)
  crowd(7168, 2000)
  t.same(read(window, 0, 9168).runs, [7168, 1024, 976])
  t.same([pool.inUse, pool.heldBytes], [9, 9 * 1024])
  window.release(9168)
  crowd(0, 7168)
  crowd(7168, 7168)
  t.same(read(window, 0, 14_336).runs, [7168, 7168])
  crowd(14_336, 7168)
  t.same(read(window, 14_336, 21_504).runs, Array(7).fill(1024), 'half is in use')
  assertHolds(t, window, 0, 21_504)
  window.release(Number.POSITIVE_INFINITY)
  t.equal(pool.heldBytes, 0)
})

t.test('a chunk that does not fit whole is refused, and everything comes back', async (t) => {
  const pool = new SlabPool(64, 2)
  const window = new Window(pool)
  t.notOk(append(window, 0, LARGE))
  t.equal(pool.inUse, 2)
  window.release(Number.POSITIVE_INFINITY)
  t.equal(pool.inUse, 0)
})
