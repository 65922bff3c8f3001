/** Speeds that transfers share, under a clock that is moved by hand. */
import t from 'tap'
import { Throttle, type Throttled } from '../../core/index.js'

class Clock {
  ms = 0
  readonly waited: Throttle[] = []
  readonly now = (): number => this.ms
  readonly onWait = (throttle: Throttle): void => {
    this.waited.push(throttle)
  }

  throttle(bytesPerSecond: number): Throttle {
    return new Throttle(bytesPerSecond, this.now, this.onWait)
  }
}

/** A transfer that reads up to `most` bytes each time it may, and waits again. */
class Reader implements Throttled {
  read = 0
  calls = 0
  available = 0

  constructor(
    readonly throttle: Throttle,
    readonly most: number,
  ) {}

  unthrottled(): void {
    this.calls++
  }

  /** What a turn of the event loop does. */
  turn(): void {
    const bytes = Math.min(this.most, this.available)
    if (bytes > 0) this.throttle.spend(bytes)
    this.read += bytes
    this.available -= bytes
    if (this.throttle.isDry) this.throttle.wait(this)
  }
}

t.test('a throttle saves up a tenth of a second, and no more', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  clock.ms = 60_000
  throttle.spend(99)
  t.notOk(throttle.isDry)
  throttle.spend(1)
  t.ok(throttle.isDry)
})

t.test('what was read beyond the level is a debt, and no transfer goes on before it is paid', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  const reader = new Reader(throttle, 0)
  throttle.spend(600)
  throttle.wait(reader)
  throttle.wait(reader)
  t.same(clock.waited, [throttle], 'asked for refills once')
  clock.ms = 500
  t.ok(throttle.refill(), 'one still waits')
  t.equal(reader.calls, 0)
  clock.ms = 501
  t.notOk(throttle.refill(), 'none waits any more')
  t.equal(reader.calls, 1)
  t.notOk(throttle.refill())
  t.equal(reader.calls, 1, 'called once for each wait')
})

t.test('a transfer that leaves is not called, not even when one called before it makes it leave', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  const [second, third] = [new Reader(throttle, 0), new Reader(throttle, 0)]
  const first = { unthrottled: () => throttle.leave(second) }
  throttle.spend(100)
  for (const each of [first, second, third]) throttle.wait(each)
  clock.ms = 10
  t.notOk(throttle.refill())
  t.same([second.calls, third.calls], [0, 1])
  throttle.leave(second)
})

t.test(
  'a transfer that waits again during a refill has its turn at the next one, which is requested once',
  async (t) => {
    const clock = new Clock()
    const throttle = clock.throttle(1000)
    const other = new Reader(throttle, 0)
    let calls = 0
    const greedy: Throttled = {
      unthrottled() {
        calls++
        throttle.wait(greedy)
      },
    }
    throttle.spend(100)
    throttle.wait(other)
    throttle.wait(greedy)
    clock.ms = 10
    t.ok(throttle.refill(), 'refills have to go on')
    t.same([calls, other.calls], [1, 1])
    t.equal(clock.waited.length, 1, 'so refills did not have to be requested again')
    throttle.leave(greedy)
    t.notOk(throttle.refill())
  },
)

t.test('a call that throws costs no other its turn', async (t) => {
  const clock = new Clock()
  const throttle = clock.throttle(1000)
  const other = new Reader(throttle, 0)
  throttle.spend(100)
  throttle.wait({
    unthrottled() {
      throw new Error('a defect')
    },
  })
  throttle.wait(other)
  clock.ms = 10
  t.throws(() => throttle.refill(), /a defect/)
  t.notOk(throttle.refill())
  t.equal(other.calls, 1)
})

t.test('the average is exact, a burst is a tenth of a second and one read, and all get the same', async (t) => {
  const RATE = 1_000_000
  const READ = 16 * 1024
  const clock = new Clock()
  const throttle = clock.throttle(RATE)
  // They could do 3, 10 and 100 times what is their share.
  const speeds = [3, 10, 100, 3].map((times) => (times * RATE) / 4)
  const readers = speeds.map(() => new Reader(throttle, READ))
  const waits = new Set<Reader>()
  for (const reader of readers) {
    reader.unthrottled = () => void waits.delete(reader)
  }
  const SECONDS = 60
  let worst = 0
  for (clock.ms = 0; clock.ms < SECONDS * 1000; clock.ms++) {
    readers.forEach((reader, i) => {
      reader.available = Math.min(READ * 8, reader.available + speeds[i]! / 1000)
      if (waits.has(reader)) return
      reader.turn()
      if (throttle.isDry) waits.add(reader)
    })
    if (clock.ms % 10 === 9) throttle.refill()
    const read = readers.reduce((sum, reader) => sum + reader.read, 0)
    worst = Math.max(worst, read - (clock.ms / 1000) * RATE)
  }
  const total = readers.reduce((sum, reader) => sum + reader.read, 0)
  t.ok(worst <= RATE * 0.1 + READ * readers.length, `${worst} bytes ahead of the average at most`)
  t.ok(total > RATE * SECONDS * 0.995, `${total} bytes: no speed is lost`)
  for (const { read } of readers) t.ok(Math.abs(read / (total / 4) - 1) < 0.03, `${read} of ${total}`)
})
