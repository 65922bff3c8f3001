/** Speed, remaining time and history of a transfer, by a clock that is turned by hand. */

import t from 'tap'
import { Meter } from '../../../plugins/progress/meter.js'
import { Random } from '../../model/random.js'

const TICK = 250

/** A transfer that is looked at four times a second; `rate` is bytes per second during each tick. */
function rig(startedAt = 1000) {
  const meter = new Meter(startedAt)
  const state = { now: startedAt, bytes: 0 }
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
    speed: () => meter.speed(state.now, state.bytes),
    eta: (total: number | null) => meter.eta(state.now, state.bytes, total),
  }
}

t.test('nothing is known at first', async (t) => {
  const { meter, speed, eta } = rig()
  t.equal(speed(), null)
  t.equal(eta(1000), null)
  t.equal(meter.speed(1100, 50), null, 'a tenth of a second says nothing')
  t.equal(meter.speed(1200, 50), 250)
})

t.test('an even stream', async (t) => {
  const { run, speed, eta, state } = rig()
  const total = 100_000
  run(1, 1000)
  t.equal(speed(), 1000)
  run(399, 1000, () => {
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
