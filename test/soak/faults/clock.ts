/** Wall clocks that jump. */

import { eventually } from '../../support/eventually.js'
import type { GatewayProcess } from '../gateway-process.js'
import { type Fault, orMend } from './fault.js'

const HOUR = 3600
const JUMPS = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, 400 * 24 * HOUR, -30]
/** An answer may take so long on a busy machine. */
const NEARLY = 15

export function clockJump(gateways: readonly GatewayProcess[]): Fault {
  return {
    name: 'clock jumps',
    what: 'the wall clock is 30 s to 400 days wrong, either way, and right again (libfaketime)',
    lasts: [1500, 4000],
    async plant(random) {
      const seconds = random.pick(JUMPS)!
      for (const gateway of gateways) gateway.setClock(seconds)
      // Where libfaketime is not loaded, nothing would happen, and nobody would notice.
      const jumped = async () => {
        const errors = await Promise.all(gateways.map((each) => each.clockError()))
        const isThere = errors.every((error) => error === undefined || Math.abs(error - seconds) < NEARLY)
        return (isThere && errors.some((error) => error !== undefined)) || `the clocks are wrong by ${errors} seconds`
      }
      return orMend(eventually(jumped, { timeoutMs: 60_000, everyMs: 200 }), () => {
        for (const gateway of gateways) gateway.setClock(0)
      })
    },
  }
}
