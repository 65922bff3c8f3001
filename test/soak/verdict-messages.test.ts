/** The verdicts on queues, topics and questions can fail: with a proxy between that flips a byte, the broken rule is named. */

import t, { type Test } from 'tap'
import { Random } from '../model/random.js'
import { startGateway } from '../support/gateway.js'
import { asked } from './load/ask.js'
import type { Door } from './load/connection.js'
import { Job, type Kind, runJob } from './load/job.js'
import { queued } from './load/queue.js'
import { published } from './load/topic.js'
import { flip, type Mangle, replace, startMangler } from './mangler.js'
import { Tally } from './tally.js'
import { Timeline } from './timeline.js'

const JOBS = 10
t.setTimeout(200_000)

/** Runs some jobs of a kind one after the other, and resolves with what has been counted. */
async function judged(t: Test, kind: (door: Door) => Kind, mangle?: Mangle): Promise<Tally> {
  const { port } = await startGateway(t)
  const door = {
    name: 'here',
    port: mangle === undefined ? port : await startMangler(t, port, mangle),
    tls: false,
    credentials: () => '',
  }
  const [tally, timeline] = [new Tally(), new Timeline()]
  for (let id = 1; id <= JOBS; id++)
    await runJob('messages', kind(door), new Job(id, new Random(id), { tally, timeline, deadlineMs: 15_000 }))
  return tally
}

const KINDS = { queues: queued, topics: published, questions: asked }

for (const [name, kind] of Object.entries(KINDS))
  t.test(name, async (t) => {
    const good = await judged(t, kind)
    t.same([...good.broken], [], `nothing happens to them: ${JSON.stringify(good.problems).slice(0, 1000)}`)
    t.ok(good.total.verified >= JOBS / 2, `${good.total.verified} of ${JOBS} verified`)
    const wrong = await judged(t, kind, flip)
    t.ok((wrong.broken.get('wrong bytes') ?? 0) > 0, `a byte that is another: ${JSON.stringify([...wrong.broken])}`)
  })

t.test('a publisher, and a sender, who are told something else', async (t) => {
  for (const [kind, mangle] of [
    [published, replace('Delivered to', 'Deliver3d to')],
    [queued, replace('Transfer complete.', 'Transfer c0mplete.')],
  ] as const) {
    const tally = await judged(t, kind, mangle)
    t.ok((tally.broken.get('ends that nothing explains') ?? 0) > 0, JSON.stringify([...tally.broken]))
  }
})
