import t from 'tap'
import { SlabPool } from '../../../core/index.js'

t.test('the pool is bounded, makes what is asked for, and uses it again', async (t) => {
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

t.test(
  'the share of a transfer narrows from half of the memory on, and optional slabs are refused there',
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
    t.ok(other.acquire(), 'callers that must not fail still get it')
  },
)
