/** What the dashboard keeps from one event to the next, without a browser. */

import t from 'tap'
import { afterDone, afterProgress, afterState } from '../../../plugins/page-kit/page/display-state.js'
import { dashboard } from '../../../plugins/progress/page/index.js'
import { SpeedLine } from '../../../plugins/progress/page/speed-line.js'
import { IDLE } from '../../../plugins/transfer-status/idle.js'
import type { Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'

const STREAMING: Snapshot = { ...IDLE, state: 'streaming', transferId: 'one', bytes: 5, elapsed: 2, totalReceivers: 1 }
const RECEIPT: Receipt = {
  state: 'complete',
  transferId: 'one',
  bytes: 10,
  bytesTransferred: 10,
  totalBytes: 10,
  duration: 3,
  durationSec: 3,
  avgSpeed: 3,
  receivers: 1,
  totalReceivers: 1,
  reason: null,
  message: null,
  sha256: null,
  startedAt: 1000,
  endedAt: 4000,
}
const COMPLETE = afterDone(STREAMING, RECEIPT)

t.test('a name that is idle again shows how it ended, as long as nothing newer is known', async (t) => {
  t.match(COMPLETE, { state: 'complete', bytes: 10, elapsed: 3, eta: null, speed: null, last: RECEIPT })
  t.equal(afterState(COMPLETE, IDLE), COMPLETE, 'the server has forgotten it: the page has not')
  t.same(afterState(COMPLETE, { ...IDLE, last: RECEIPT }), COMPLETE)
  t.same(afterState(STREAMING, { ...IDLE, last: RECEIPT }), COMPLETE, 'the end was missed')
  const other = { ...IDLE, last: { ...RECEIPT, transferId: 'two' } }
  t.equal(afterState(COMPLETE, other), other)
  const next: Snapshot = { ...IDLE, state: 'waiting', last: RECEIPT }
  t.equal(afterState(COMPLETE, next), next, 'another transfer begins')
})

t.test(
  'a transfer that the server does not know any more is lost, and stays so until something new comes',
  async (t) => {
    const lost = afterState(STREAMING, IDLE)
    t.equal(lost.lost, true)
    t.equal(afterState(lost, IDLE).lost, true)
    t.equal(afterState(afterState(lost, STREAMING), { ...IDLE, last: RECEIPT }).lost, undefined)
    t.equal(afterState({ ...IDLE, state: 'waiting' }, IDLE).lost, undefined, 'who waited has left: nothing is lost')
    const queue = { ...STREAMING, kind: 'queue', queue: true, transferId: null } as const
    t.equal(afterState(queue, IDLE).lost, undefined, 'a queue comes and goes with those who are there')
  },
)

t.test('figures that come late do not move what is over', async (t) => {
  t.equal(afterProgress(COMPLETE, { ...STREAMING, bytes: 7 }), COMPLETE)
  t.equal(afterProgress(STREAMING, { ...STREAMING, bytes: 7 }).bytes, 7)
})

t.test('the line of the speed: a day of it fits, and its parts keep their averages', async (t) => {
  const line = new SpeedLine()
  for (let i = 1; i <= 4 * 86_400; i++) line.add(i / 4, i % 2 === 0 ? 100 : 300)
  t.ok(line.times.length <= 480)
  t.ok(line.times.length > 200)
  t.equal(line.peak, 300)
  t.equal(line.times.length, line.speeds.length)
  const steps = line.times.slice(1).map((time, i) => time - line.times[i]!)
  t.ok(Math.max(...steps) <= 600, 'no holes')
  const early = new SpeedLine()
  for (let i = 1; i <= 481; i++) early.add(i / 4, i % 2 === 0 ? 100 : 300)
  t.same(new Set(early.speeds), new Set([200]), 'two became one, in the middle between them')
})

t.test('the line of the speed goes on where the history ends', async (t) => {
  const line = new SpeedLine()
  line.load({ everySec: 2, speeds: [10, 20] })
  line.add(4.5, 99)
  line.add(6, 30)
  t.same([line.times, line.speeds, line.peak], [[2, 4, 6], [10, 20, 30], 30])
  line.clear()
  t.same([line.times, line.speeds, line.peak], [[], [], null])
})

t.test('names are shown decoded where that cannot deceive', async (t) => {
  const heading = (name: string) =>
    /<bdi>(.*)<\/bdi>/.exec(dashboard(IDLE, { name, base: '', frameAncestors: '*', refreshSec: 5 }).body)?.[1]
  t.equal(heading('caf%C3%A9/a%20b'), 'café/a b')
  t.equal(heading('a%E2%80%AEgpj.exe'), 'a%E2%80%AEgpj.exe', 'it would be written backwards')
  t.equal(heading('%ff'), '%ff')
  t.equal(heading('%3Cb%3E'), '&lt;b&gt;')
})

t.test('what a live stream has besides goes with it, and is not of the next transfer', async (t) => {
  const figures = { live: true, viewers: 2, peak: 3, skips: 1, cuts: 1, totalReceivers: null } as const
  const streaming: Snapshot = { ...STREAMING, ...figures, kind: 'live' }
  const receipt: Receipt = { ...RECEIPT, ...figures, kind: 'live', viewers: 1, peak: 4 }
  const over = afterDone(afterProgress(streaming, { ...streaming, viewers: 1, peak: 4 }), receipt)
  t.match(over, { kind: 'live', live: true, viewers: 1, peak: 4, skips: 1, cuts: 1, totalReceivers: null })
  const next = afterState(over, { ...STREAMING, transferId: 'two' })
  t.notOk('live' in next || 'peak' in next)
})
