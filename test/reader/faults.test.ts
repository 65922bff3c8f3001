import t from 'tap'
import { sample } from '../support/thorough.js'
import { FAULTS, FaultFinder } from './faults.js'

t.setTimeout(600_000)
/** Of all mistakes, in CI. */
const FAULTS_AT_MOST = 25

t.test('the comparison notices every mistake', { timeout: 570_000 }, async (t) => {
  const finder = new FaultFinder()
  const faults = sample(FAULTS, FAULTS_AT_MOST)
  t.same(
    faults.map((fault) => finder.find(fault)).filter((each) => each !== undefined),
    [],
    `${faults.length} mistakes`,
  )
})
