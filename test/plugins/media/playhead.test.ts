/** Where the player goes: every rule alone, and then an hour of a stream and a network that hesitates. */
import t from 'tap'
import {
  afterStall,
  ahead,
  behind,
  MOST_RESERVE,
  nextMove,
  type Playhead,
  RESERVE,
} from '../../../plugins/media/page/playhead.js'

const HEAD: Playhead = { at: 0, ranges: [], isFollowing: true, hasBegun: true, rate: 1, reserve: RESERVE }
const move = (head: Partial<Playhead>) => nextMove({ ...HEAD, ...head })

t.test('before anything is there it stays', async (t) => t.same(move({ hasBegun: false }), { rate: 1 }))

t.test('a stream that was joined late begins where it begins, with something in hand', async (t) => {
  t.same(move({ hasBegun: false, ranges: [[812.2, 812.5]] }), { rate: 1 })
  t.same(move({ hasBegun: false, ranges: [[812.2, 813]] }), { seek: 812.2, rate: 1 })
  t.same(move({ hasBegun: false, isFollowing: false, ranges: [[0.02, 0.1]] }), { seek: 0.02, rate: 1 })
})

t.test('what has run ahead is caught up with', async (t) => {
  t.same(move({ at: 10, ranges: [[5, 11]] }), { rate: 1 })
  t.same(move({ at: 10, ranges: [[5, 12.4]] }), { rate: 1 }, 'a little is nothing')
  t.same(move({ at: 10, ranges: [[5, 12.6]] }), { rate: 1.1 })
  t.same(move({ at: 10, ranges: [[5, 11.5]], rate: 1.1 }), { rate: 1.1 }, 'until it is there')
  t.same(move({ at: 10, ranges: [[5, 10.9]], rate: 1.1 }), { rate: 1 })
  t.same(move({ at: 10, ranges: [[5, 30]] }), { seek: 29, rate: 1 })
  t.same(move({ at: 10, ranges: [[5, 30]], isFollowing: false }), { rate: 1 }, 'unless the viewer has gone back')
})

t.test('a gap is jumped over, and an end is waited at', async (t) => {
  const ranges = [
    [0, 10],
    [13, 15],
  ] as const
  t.same(move({ at: 9.95, ranges }), { seek: 13.01, rate: 1 })
  t.same(move({ at: 9.95, ranges, isFollowing: false }), { seek: 13.01, rate: 1 })
  t.same(move({ at: 5, ranges, isFollowing: false }), { rate: 1 })
  t.same(move({ at: 14.95, ranges }), { rate: 1 })
  t.same(move({ at: 2, ranges: [[8, 9.5]] }), { seek: 8.01, rate: 1 }, 'what was dropped during a pause is one as well')
})

t.test('how much is there', async (t) => {
  const ranges = [
    [0, 10],
    [13, 15],
  ] as const
  t.same([behind({ at: 4, ranges }), ahead({ at: 4, ranges })], [11, 6])
  t.same([behind({ at: 11, ranges }), ahead({ at: 11, ranges })], [4, 0])
  t.same([behind({ at: 4, ranges: [] }), ahead({ at: 4, ranges: [] })], [0, 0])
  t.equal(afterStall(RESERVE), RESERVE + 0.5)
  t.equal(afterStall(MOST_RESERVE), MOST_RESERVE)
})

t.test('an hour of a live stream whose network stands still now and then', async (t) => {
  const STEP = 0.2
  let [at, edge, rate, reserve, seconds, stalls] = [0, 0, 1, RESERVE, 0, 0]
  let hasBegun = false
  let seed = 7
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  let outage = 0
  let debt = 0
  const lags: number[] = []
  for (; seconds < 3600; seconds += STEP) {
    if (outage <= 0 && random() < 0.002) outage = random() * 5
    outage -= STEP
    debt += STEP
    if (outage <= 0) {
      edge += debt
      debt = 0
    }
    const next = nextMove({ at, ranges: edge > 0 ? [[0, edge]] : [], isFollowing: true, hasBegun, rate, reserve })
    if (next.seek !== undefined) {
      at = next.seek
      hasBegun = true
    }
    rate = next.rate
    if (!hasBegun) continue
    if (edge - at < STEP && outage > 0) {
      if (stalls === 0 || lags.at(-1)! > 0) reserve = afterStall(reserve)
      stalls++
    } else at = Math.min(edge, at + STEP * rate)
    lags.push(edge - at)
    if (at > edge) t.fail(`at ${at}, which is behind ${edge}`)
  }
  const sorted = lags.sort((a, b) => a - b)
  t.ok(sorted.at(-1)! < 13, `never more than ${sorted.at(-1)} s late`)
  t.ok(sorted[lags.length >> 1]! < MOST_RESERVE + 1.6, `mostly ${sorted[lags.length >> 1]} s`)
  t.ok(stalls > 0 && stalls < 500, `${stalls} stalls`)
})
