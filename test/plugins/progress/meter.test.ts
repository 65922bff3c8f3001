/** Speed, remaining time and history of a transfer, by a clock that is turned by hand. */

import t from 'tap'
import { Meter } from '../../../plugins/progress/meter.js'
import { SpeedLine } from '../../../plugins/progress/page/speed-line.js'
import { Random } from '../../model/random.js'

const TICK = 250

/** A transfer that is looked at four times a second; `rate` is bytes per second during each tick. */
function rig(startedAt = 1000) {
  const meter = new Meter(startedAt)
  const state = { now: startedAt, bytes: 0 }
  /** What arrives in each tick, with more on its way all the time. */
  const arrive = (ticks: readonly number[], each: () => void = () => {}) => {
    for (const bytes of ticks) {
      state.now += TICK
      state.bytes += bytes
      meter.sample(state.now, state.bytes, true)
      each()
    }
  }
  const run = (ticks: number, rate: number | ((tick: number) => number), each: () => void = () => {}) => {
    for (let tick = 0; tick < ticks; tick++) {
      state.now += TICK
      state.bytes += ((typeof rate === 'number' ? rate : rate(tick)) * TICK) / 1000
      meter.sample(state.now, state.bytes)
      each()
    }
  }
  return {
    meter,
    state,
    run,
    arrive,
    speed: () => meter.speed(state.now, state.bytes),
    eta: (total: number | null) => meter.eta(state.now, state.bytes, total),
  }
}

t.test('nothing is known at first', async (t) => {
  const { meter, speed, eta } = rig()
  t.equal(speed(), null)
  t.equal(eta(1000), null)
  t.equal(meter.speed(1999, 500), null, 'less than a second has no speed')
  t.equal(meter.speed(2000, 500), 500)
})

t.test('an even stream', async (t) => {
  const { run, speed, eta, state } = rig()
  const total = 100_000
  run(3, 1000)
  t.equal(speed(), null)
  run(397, 1000, () => {
    t.equal(speed(), 1000)
    t.equal(eta(total), Math.ceil((total - state.bytes) / 1000))
  })
  t.equal(eta(total), 0)
  t.equal(eta(null), null)
  t.equal(eta(10), 0, 'more than was announced')
})

t.test('the speed is that of the last three seconds', async (t) => {
  const { run, speed } = rig()
  run(40, 1000)
  run(12, 4000)
  t.equal(speed(), 4000)
  run(6, 1000)
  t.equal(speed(), 2500)
  run(6, 1000)
  t.equal(speed(), 1000)
})

t.test('a stall: the speed falls to 0, the rest is unknown, and afterwards it is what it was', async (t) => {
  const { run, speed, eta, state } = rig()
  const total = 1_000_000
  run(120, 1000)
  const before = eta(total)!
  let last = speed()!
  run(12, 0, () => {
    t.ok(speed()! < last, 'it falls')
    last = speed()!
  })
  t.equal(speed(), 0)
  t.equal(eta(total), null)
  run(4 * 600, 0)
  t.equal(speed(), 0)
  run(4, 1000)
  t.ok(Math.abs(eta(total)! - before) / before < 0.35, `${eta(total)} after ten minutes of silence, ${before} before`)
  run(80, 1000)
  const truth = (total - state.bytes) / 1000
  t.ok(Math.abs(eta(total)! - truth) / truth < 0.1, `${eta(total)} s, in truth ${truth} s`)
})

t.test('looked at once a second, or not for long', async (t) => {
  const meter = new Meter(0)
  for (let second = 1; second <= 10; second++) meter.sample(second * 1000, second * 500)
  t.equal(meter.speed(10_000, 5000), 500)
  t.equal(meter.speed(10_400, 5200), 500, 'between two looks')
  t.equal(meter.speed(14_000, 5000), 0, 'nobody looked, and nothing has come')
  meter.sample(10_100, 5050)
  t.equal(meter.speed(10_400, 5200), 500, 'a look right after another one changes nothing')
})

t.test('an uneven stream does not make the rest jump', async (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed)
    const uneven = () => 200 + random.below(1600)
    const { run, eta } = rig()
    run(120, uneven)
    let before = eta(10_000_000)!
    let most = 0
    run(280, uneven, () => {
      const now = eta(10_000_000)!
      most = Math.max(most, Math.abs(now - before) / before)
      before = now
    })
    t.ok(most < 0.03, `seed ${seed}: at most ${(100 * most).toFixed(1)} % in a quarter of a second`)
  }
})

t.test('a lasting change of speed is believed within a minute', async (t) => {
  const { run, eta, state } = rig()
  const total = 10_000_000
  run(4 * 600, 1000)
  run(4 * 60, 4000)
  const truth = (total - state.bytes) / 4000
  t.ok(Math.abs(eta(total)! - truth) / truth < 0.06, `${eta(total)} s, in truth ${truth} s`)
})

t.test('history: every second, then less often, and never more than 240 intervals', async (t) => {
  const { run, meter, state } = rig()
  run(20, 1000)
  t.strictSame(meter.history.all, { everySec: 1, speeds: [1000, 1000, 1000, 1000, 1000] })
  run(4 * 24 * 3600, (tick) => (tick % 8 < 4 ? 500 : 1500))
  const { everySec, speeds } = meter.history.all
  t.ok(speeds.length >= 120 && speeds.length < 240, `${speeds.length} intervals`)
  t.ok(Math.abs(speeds.length * everySec - (state.now - 1000) / 1000) <= everySec, 'all of the time is in it')
  const sum = speeds.reduce((all, speed) => all + speed * everySec, 0)
  t.ok(Math.abs(sum - state.bytes) < 1000 * everySec * 1.1, 'and all of the bytes')
})

t.test('history of what nobody looked at is even', async (t) => {
  const meter = new Meter(0)
  meter.sample(4000, 8000)
  t.strictSame(meter.history.all, { everySec: 1, speeds: [2000, 2000, 2000, 2000] })
})

/** 11 MB at once, and then what a reader of 1 MB/s takes out of the buffers, 8 MB at a time. */
const SLOW = [7_000_000, 4_000_000, ...Array(30).fill(0)]
const LUMP = [8_000_000, ...Array(31).fill(0)]

t.test(
  'what fills the buffers of a slow reader is no speed, and a reader has one as soon as two lumps have come',
  async (t) => {
    const { arrive, speed, eta, meter, state } = rig()
    const total = 60_000_000
    let most = 0
    const look = () => {
      most = Math.max(most, speed() ?? 0)
      const left = eta(total)
      if (left !== null)
        t.ok(left > (total - state.bytes) / 1_100_000, `${left} s left of ${total - state.bytes} bytes`)
    }
    arrive(SLOW, look)
    t.equal(speed(), null, 'nobody knows how much of it was read')
    t.equal(eta(total), null)
    for (let i = 0; i < 3; i++) arrive(LUMP, look)
    t.ok(Math.abs(speed()! - 1_000_000) < 50_000, `${speed()} bytes per second`)
    t.ok(most < 1_100_000, `${most} bytes per second at most`)
    t.ok(Math.max(...meter.history.all.speeds) < 1_600_000, 'the line has no peak either')
    arrive(Array(400).fill(0))
    t.ok(speed()! < 300_000 && speed()! > 0, 'a pause that is longer than those before makes it less')
  },
)

t.test('a stream that is even after its buffers were filled has the speed from there on', async (t) => {
  const { arrive, speed, meter } = rig()
  const speeds: (number | null)[] = []
  arrive([8_000_000, 3_000_000, ...Array(40).fill(250_000)], () => void speeds.push(speed()))
  t.same([...new Set(speeds)], [null, 1_000_000])
  t.equal(Math.max(...meter.history.all.speeds.slice(1)), 1_000_000)
})

t.test('one burst at the start is not the estimate of what is left', async (t) => {
  const { arrive, speed, eta, state } = rig()
  const total = 60_000_000
  // After the buffers were filled a busy machine is late: what it did not take in one quarter of a second it takes in the next.
  arrive([8_000_000, 3_000_000, 4_000_000, 0, 400_000, 600_000, ...Array(12).fill(500_000)], () => {
    const left = eta(total)
    if (left === null) return
    const truth = (total - state.bytes) / speed()!
    t.ok(Math.abs(left - truth) < 0.35 * truth, `${left} s left, ${truth} s by the speed`)
  })
  t.ok(eta(total)! > 12, `${eta(total)} s`)
})

t.test('what came in lumps and comes evenly now is told as that', async (t) => {
  const { arrive, speed } = rig()
  arrive([...SLOW, ...LUMP, ...LUMP])
  arrive(Array(28).fill(750_000))
  t.equal(speed(), 3_000_000)
})

t.test('a sender that pauses is no receiver that reads', async (t) => {
  const { run, speed } = rig()
  run(20, 1000)
  run(12, 0)
  t.equal(speed(), 0)
})

t.test('one burst does not flatten the axis, and what is usual is all on it', async (t) => {
  const line = new SpeedLine()
  t.equal(line.ceiling, 0)
  line.load({ everySec: 1, speeds: [33_000_000, ...Array(30).fill(1_000_000)] })
  t.equal(line.ceiling, 2_000_000)
  t.equal(line.peak, 33_000_000)
  line.load({ everySec: 1, speeds: [3_000_000, ...Array(30).fill(1_000_000)] })
  t.equal(line.ceiling, 3_000_000, 'no burst')
  line.load({ everySec: 1, speeds: [33_000_000, 1_000_000] })
  t.equal(line.ceiling, 33_000_000, 'nobody knows yet what is usual')
})
