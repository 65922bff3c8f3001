/** Crowds: what one turn of the event loop does for streams with many receivers. */
import t from 'tap'
import { TurnBudget } from '../../../core/index.js'
import { Rig } from './rig.js'

const ROOMY = Array<number>(6).fill(Number.POSITIVE_INFINITY)

/** Three offers of 100 bytes fill a turn. */
function smallTurn(): TurnBudget {
  return new TurnBudget(300, 4, 0)
}

t.test('receivers beyond what a turn may do are postponed, and read on in the next one', async (t) => {
  const turn = smallTurn()
  const rig = Rig.flowing({ rooms: ROOMY, turn })
  rig.feed(100)
  t.same(rig.received, [100, 100, 100, 0, 0, 0])
  t.same(
    rig.sinks.map((sink) => sink.postponed),
    [false, false, false, true, true, true],
  )
  t.equal(rig.fanOut.held, 100, 'kept once for all that wait')
  t.notOk(rig.source.paused, 'the others can take more')
  turn.begin()
  for (const i of [3, 4, 5]) rig.drain(i)
  t.same(rig.received, Array(6).fill(100))
  t.equal(rig.fanOut.held, 0)
  rig.assertWhole(t)
})

t.test('a turn that has done enough offers nothing to anybody, and nothing more is read', async (t) => {
  const turn = smallTurn()
  const rig = Rig.flowing({ rooms: ROOMY, turn })
  rig.feed(100)
  rig.feed(50)
  t.same(rig.received, [100, 100, 100, 0, 0, 0])
  t.ok(rig.source.paused, 'all wait for their turn')
  for (let turns = 0; rig.fanOut.held > 0; turns++) {
    t.ok(turns < 10)
    const before = rig.received.reduce((sum, each) => sum + each)
    turn.begin()
    for (let i = 0; i < 6; i++) if (rig.sinks[i]!.postponed) rig.drain(i)
    const moved = rig.received.reduce((sum, each) => sum + each) - before
    t.ok(moved > 0 && moved <= 300 + 64, `${moved} bytes in one turn`)
  }
  t.same(rig.received, Array(6).fill(150))
  t.notOk(rig.source.paused)
  rig.assertWhole(t)
})

t.test('two crowds share one turn', async (t) => {
  const turn = smallTurn()
  const [one, two] = [Rig.flowing({ rooms: ROOMY, turn }), Rig.flowing({ rooms: ROOMY, turn })]
  one.feed(100)
  two.feed(100)
  t.same(two.received, Array(6).fill(0))
  turn.begin()
  two.drain(5)
  t.same(two.received, [0, 0, 0, 0, 0, 100])
})

t.test('offers count although nothing is taken', async (t) => {
  const rig = Rig.flowing({ rooms: Array(6).fill(0), turn: new TurnBudget(30, 4, 10) })
  rig.feed(100)
  t.same(
    rig.sinks.map((sink) => sink.offers.length),
    [1, 1, 1, 0, 0, 0],
  )
})

t.test('a stream with few receivers is never held back', async (t) => {
  const turn = smallTurn()
  Rig.flowing({ rooms: ROOMY, turn }).feed(100)
  t.ok(turn.isSpent)
  const few = Rig.flowing({ rooms: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], turn })
  few.feed(500)
  t.same(few.received, [500, 500])
})

t.test('a crowd whose receivers are postponed at the very start, and leave', async (t) => {
  const rig = new Rig({ rooms: ROOMY, turn: smallTurn() })
  rig.feed(200)
  rig.start()
  t.ok(rig.received.at(-1) === 0)
  for (let i = 0; i < 6; i++) if (rig.sinks[i]!.postponed) rig.leave(i)
  t.equal(rig.fanOut.held, 0)
})
