/**
 * Faults of every kind, each at least once, under a load of every kind, against the built gateway: no rule may be broken. For
 * longer: `npm run soak -- --minutes 10`. `PIPEGATE_SEED` repeats what a failure prints, as far as a kernel and a clock let it.
 */

import t from 'tap'
import { amount } from '../support/thorough.js'
import { report } from './report.js'
import { soak } from './run.js'

const SECONDS = amount(12, 35)
const SEED = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))

t.test(`seed ${SEED}`, { timeout: 290_000 }, async (t) => {
  const note = () => {}
  const result = await soak(t, { seed: SEED, seconds: SECONDS, share: 0.5, folder: t.testdir({}), note })
  const { tally, faults } = result
  for (const line of report(result).split('\n')) t.comment(line)
  const broken = [...tally.broken].filter(([, count]) => count > 0)
  t.same(broken, [], `no rule is broken; PIPEGATE_SEED=${SEED} repeats it`)
  for (const { name, planted } of faults) t.ok(planted > 0, `planted: ${name}`)
  for (const [kind, { verified }] of tally.kinds)
    if (kind !== 'requests to refuse') t.ok(verified > 0, `verified: ${kind}`)
})
