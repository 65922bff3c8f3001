import { availableParallelism } from 'node:os'
import t from 'tap'
import * as core from '../../core/index.js'
import { amount, sample } from '../support/thorough.js'
import { newCoverage } from './coverage.js'
import { FAULTS, type Fault } from './faults.js'
import { runModel } from './pairing.js'
import { findPlace, tryFault, type Verdict } from './plant-fault.js'

/** Steps of one run, which is repeated by its seed alone: `PIPEGATE_SEED=<seed> node dist/test/model/pairing.test.js`. */
const STEPS = 20_000
const FIXED_SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const FRESH_RUNS_AT_LEAST = amount(4, 8)
const FRESH_FOR_MS = amount(0, 3000)
/** The model has no duplex pipes: test/core/pairing/scenes/duplex.ts. */
const OF_DUPLEX: readonly string[] = ['peer_closed', 'PEERS_FULL', 'PART_TAKEN']
/** Every fault must be found within this many steps. */
const FAULT_STEPS = 300_000
const FAULT_SEED = 1
/** Of all faults, in CI. */
const FAULTS_AT_MOST = 12

t.test('the core agrees with its specification: the same steps every time', async (t) => {
  const coverage = newCoverage()
  for (const seed of FIXED_SEEDS) runModel(core, seed, STEPS, coverage)
  // A model that never reaches something cannot notice what is wrong there.
  const reasons = core.END_REASONS.filter((reason) => !OF_DUPLEX.includes(reason))
  t.same([...coverage.reasons.keys()].sort(), reasons.sort(), 'every end reason happened')
  const codes = Object.values({ ...core.CORE_FAILURES, ...core.TOPIC_FAILURES }).map(({ code }) => code)
  const wanted = codes.filter((code) => !OF_DUPLEX.includes(code))
  t.same([...coverage.refusals.keys()].sort(), wanted.sort(), 'every refusal happened')
  for (const [what, times] of [...coverage.reasons, ...coverage.refusals]) t.ok(times >= 10, `${what}: ${times} times`)
  t.ok(coverage.postponed >= 1000, `receivers waited for another turn after ${coverage.postponed} steps`)
})

t.test('the core agrees with its specification: fresh steps', async (t) => {
  const asked = process.env.PIPEGATE_SEED
  const first = asked === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(asked)
  const until = performance.now() + FRESH_FOR_MS
  let runs = 0
  // A failure names its seed in its message.
  while (runs < FRESH_RUNS_AT_LEAST || performance.now() < until) runModel(core, first + runs++, STEPS)
  t.comment(`seeds ${first} to ${first + runs - 1}: ${runs * STEPS} steps`)
  t.ok(runs >= FRESH_RUNS_AT_LEAST)
})

t.test('the same seed takes the same steps', async (t) => {
  const [one, two, other] = [newCoverage(), newCoverage(), newCoverage()]
  runModel(core, 5, 3000, one)
  runModel(core, 5, 3000, two)
  runModel(core, 6, 3000, other)
  t.same(one, two)
  t.notSame(one, other)
})

t.test('every fault has its place in the core', async (t) => {
  for (const fault of FAULTS) t.ok(await findPlace(fault), fault.name)
})

t.test('the model notices every planted fault', { timeout: 280_000 }, async (t) => {
  const names = new Set(FAULTS.map(({ name }) => name))
  t.equal(names.size, FAULTS.length, 'names are unique')
  const work: (Fault | null)[] = [null, ...sample(FAULTS, FAULTS_AT_MOST)]
  const judge = async (): Promise<void> => {
    for (let fault = work.shift(); fault !== undefined; fault = work.shift()) {
      const { colour, why }: Verdict = await tryFault(fault, FAULT_SEED, FAULT_STEPS)
      if (fault === null) t.equal(colour, 'green', `a faithful copy: ${why}`)
      else t.equal(colour, 'red', `${fault.name}: ${why.slice(0, 200)}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, judge))
})
