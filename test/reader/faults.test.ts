import t from 'tap'
import { FAULTS, FaultFinder } from './faults.js'

t.setTimeout(600_000)

t.test('the comparison notices every mistake', { timeout: 570_000 }, async (t) => {
  const finder = new FaultFinder()
  t.same(
    FAULTS.map((fault) => finder.find(fault)).filter((each) => each !== undefined),
    [],
    `${FAULTS.length} mistakes`,
  )
})
