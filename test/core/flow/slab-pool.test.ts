import t from 'tap'
import { HeldBytes, type OwnedBytes, SlabPool } from '../../../core/index.js'
import { Random } from '../../model/random.js'

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

t.test('the share of a transfer narrows from half of the memory on', async (t) => {
  const pool = new SlabPool(64, 8)
  const shares = [pool.share(100)]
  for (let i = 0; i < 8; i++) {
    t.ok(pool.acquire())
    shares.push(pool.share(100))
  }
  t.same(shares, [100, 100, 100, 100, 100, 75, 50, 25, 0])
})

t.test('what is kept elsewhere counts like slabs', async (t) => {
  const pool = new SlabPool(64, 8)
  t.ok(pool.take(256, true))
  t.notOk(pool.isScarce, 'exactly half')
  t.ok(pool.take(1, true))
  t.notOk(pool.take(1, true), 'whoever can be refused gets none of the second half')
  t.ok(pool.take(191))
  t.equal(pool.heldBytes, 448)
  t.ok(pool.acquire())
  t.notOk(pool.take(1))
  t.equal(pool.acquire(), undefined)
  pool.give(448)
  t.equal(pool.heldBytes, 64)
})

t.test('what somebody holds is one number, and leaves the last quarter to transfers that stream', async (t) => {
  const pool = new SlabPool(64, 8)
  const one = new HeldBytes(pool)
  const other = new HeldBytes(pool)
  t.ok(one.set(300))
  t.ok(one.set(284))
  t.ok(other.set(100))
  t.equal(pool.heldBytes, 384)
  t.notOk(other.set(101), 'three quarters')
  t.equal(pool.heldBytes, 384, 'a refusal changes nothing')
  t.ok(pool.acquire())
  t.ok(pool.acquire(), 'the rest is for others')
  t.ok(one.set(283), 'less is always taken note of')
  t.notOk(one.set(284))
  t.ok(one.set(0))
  t.ok(one.set(0))
  t.ok(other.set(0))
  t.equal(pool.heldBytes, 128)
})

t.test('free slabs make way for what is kept elsewhere, and for slabs of the other size', async (t) => {
  const made: number[] = []
  const pool = new SlabPool(64, 16, (bytes) => {
    made.push(bytes)
    return new Uint8Array(bytes)
  })
  for (const slab of [pool.acquireLarge()!, pool.acquireLarge()!]) pool.release(slab)
  t.same([pool.heldBytes, made], [0, [448, 448]])
  t.ok(pool.take(1024), 'all of it')
  pool.give(1024)
  pool.release(pool.acquire()!)
  pool.release(pool.acquireLarge()!)
  t.same(made, [448, 448, 64, 448])
  pool.release(pool.acquire()!)
  pool.release(pool.acquireLarge()!)
  t.same(made, [448, 448, 64, 448], 'both sizes are used again')
})

t.test('waiting senders get half of the memory set aside', async (t) => {
  const pool = new SlabPool(64, 8)
  t.ok(pool.take(56))
  t.ok(pool.reserve(200))
  t.notOk(pool.reserve(1))
  t.equal(pool.heldBytes, 56, 'what is set aside is not held')
  t.equal(pool.share(100), 100)
  t.ok(pool.acquire())
  t.equal(pool.share(100), 75, 'but narrows windows before it comes')
  pool.unreserve(200)
  t.equal(pool.share(100), 100)
  t.ok(pool.reserve(136))
})

t.test('random steps: never negative, never above the bound, and all is given back', async (t) => {
  const seed = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.comment(`PIPEGATE_SEED=${seed}`)
  const random = new Random(seed)
  for (let world = 0; world < 20; world++) {
    const bound = 64 * random.between(1, 40)
    const pool = new SlabPool(64, bound / 64)
    const slabs: OwnedBytes[] = []
    const taken: number[] = []
    const reserved: number[] = []
    const pull = <T>(from: T[]): T | undefined => from.splice(random.below(from.length), 1)[0]
    for (let step = 0; step < 3000; step++) {
      const bytes = random.between(0, 200)
      const die = random.below(8)
      const slab = die === 0 ? pool.acquire() : die === 1 ? pool.acquireLarge() : undefined
      if (slab !== undefined) {
        if (slabs.includes(slab)) t.fail('a slab was given to two')
        slabs.push(slab)
      }
      if (die === 2 && pool.take(bytes, random.chance(50))) taken.push(bytes)
      if (die === 3 && pool.reserve(bytes)) reserved.push(bytes)
      if (die === 4 || die === 5) {
        const back = pull(slabs)
        if (back !== undefined) pool.release(back)
      }
      if (die === 6) pool.give(pull(taken) ?? 0)
      if (die === 7) pool.unreserve(pull(reserved) ?? 0)
      const held = sum(slabs.map((each) => each.byteLength)) + sum(taken)
      if (pool.heldBytes !== held) t.fail(`step ${step}: ${pool.heldBytes} bytes held, in truth ${held}`)
      if (held > bound) t.fail(`step ${step}: ${held} bytes held of ${bound}`)
      const share = pool.share(1000)
      if (share < 0 || share > 1000) t.fail(`step ${step}: a share of ${share}`)
      if (sum(reserved) > bound / 2) t.fail(`step ${step}: ${sum(reserved)} bytes set aside of ${bound}`)
    }
    for (const slab of slabs) pool.release(slab)
    for (const bytes of taken) pool.give(bytes)
    for (const bytes of reserved) pool.unreserve(bytes)
    t.same([pool.heldBytes, pool.inUse, pool.share(1000)], [0, 0, 1000])
    t.ok(pool.take(bound), 'all of it is there again')
  }
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

/** Two within one bound of 16 slabs. @param onLook called when one is about to look at what the other has */
function twoPools(onLook: (whoLooks: number) => void = () => {}): SlabPool[] {
  const told = [0, 1].map(() => ({ heldBytes: 0, reservedBytes: 0 }))
  const of = (each: number, field: 'heldBytes' | 'reservedBytes') => {
    onLook(each)
    return told[1 - each]![field]
  }
  return [0, 1].map(
    (each) =>
      new SlabPool(64, 16, undefined, undefined, {
        get heldBytes() {
          return of(each, 'heldBytes')
        },
        get reservedBytes() {
          return of(each, 'reservedBytes')
        },
        tell(heldBytes, reservedBytes) {
          told[each] = { heldBytes, reservedBytes }
        },
      }),
  )
}

t.test('two that want the last bytes at the same moment never both get them', async (t) => {
  type Want = (pool: SlabPool) => boolean
  const wants: readonly (readonly [what: string, most: number, want: Want])[] = [
    ['a slab', 1024, (pool) => pool.acquire() !== undefined],
    ['what is kept elsewhere', 1024, (pool) => pool.take(64)],
    ['what may grow', 768, (pool) => pool.hold(64)],
    ['what is set aside', 512, (pool) => pool.reserve(64)],
  ]
  for (const [what, most, want] of wants) {
    for (let moment = 0; moment < 6; moment++) {
      let looks = -1
      let got = 0
      // While the first is in the middle of it, the second does all of it.
      const pools = twoPools((who) => {
        if (who === 0 && looks >= 0 && looks++ === moment && want(pools[1]!)) got++
      })
      while (got * 64 + 64 < most) {
        if (!want(pools[got % 2]!)) t.fail(`${what}: refused at ${got * 64} of ${most}`)
        got++
      }
      looks = 0
      if (want(pools[0]!)) got++
      looks = -1
      t.ok(got * 64 <= most, `${what}: ${got * 64} of ${most}, at look ${moment}`)
      const held = pools[0]!.heldBytes + pools[1]!.heldBytes
      t.equal(held, what === 'what is set aside' ? 0 : got * 64)
      while (want(pools[0]!)) got++
      t.equal(got * 64, most, `${what}: who was refused has left no trace`)
    }
  }
})

t.test('pools within one bound answer as one pool would that holds what they hold together', async (t) => {
  const random = new Random(7)
  const pools = twoPools()
  const one = new SlabPool(64, 16)
  const slabs: { readonly pool: SlabPool; readonly slab: OwnedBytes; readonly same: OwnedBytes }[] = []
  const kept: { readonly pool: SlabPool; readonly bytes: number }[] = []
  const setAside: { readonly pool: SlabPool; readonly bytes: number }[] = []
  const refused = { acquire: 0, take: 0, hold: 0, reserve: 0 }
  for (let step = 0; step < 40_000; step++) {
    const pool = pools[random.below(2)]!
    const bytes = random.below(200)
    const what = random.below(9)
    if (what === 0) {
      const [slab, same] = [pool.acquire(), one.acquire()]
      if ((slab === undefined) !== (same === undefined)) t.fail(`acquire, step ${step}`)
      if (slab === undefined || same === undefined) refused.acquire++
      else slabs.push({ pool, slab, same })
    } else if (what === 1 || what === 2) {
      const isOptional = what === 2
      const took = pool.take(bytes, isOptional)
      if (took !== one.take(bytes, isOptional)) t.fail(`take, step ${step}`)
      if (took) kept.push({ pool, bytes })
      else refused.take++
    } else if (what === 3) {
      const held = pool.hold(bytes)
      if (held !== one.hold(bytes)) t.fail(`hold, step ${step}`)
      if (held) kept.push({ pool, bytes })
      else refused.hold++
    } else if (what === 4) {
      const isSetAside = pool.reserve(bytes)
      if (isSetAside !== one.reserve(bytes)) t.fail(`reserve, step ${step}`)
      if (isSetAside) setAside.push({ pool, bytes })
      else refused.reserve++
    } else if (what === 8 && setAside.length > 0) {
      const [{ pool, bytes }] = setAside.splice(random.below(setAside.length), 1) as [(typeof setAside)[0]]
      pool.unreserve(bytes)
      one.unreserve(bytes)
    } else if (what < 7 && slabs.length > 0) {
      const [{ pool, slab, same }] = slabs.splice(random.below(slabs.length), 1) as [(typeof slabs)[0]]
      pool.release(slab)
      one.release(same)
    } else if (kept.length > 0) {
      const [{ pool, bytes }] = kept.splice(random.below(kept.length), 1) as [(typeof kept)[0]]
      pool.give(bytes)
      one.give(bytes)
    }
    if (pool.share(1000) !== one.share(1000)) t.fail(`share, step ${step}`)
    if (pools[0]!.heldBytes + pools[1]!.heldBytes !== one.heldBytes) t.fail(`held, step ${step}`)
  }
  for (const [what, times] of Object.entries(refused)) t.ok(times > 20, `${what}: refused ${times} times`)
})
