/** Wall clocks that jump. */

import type { GatewayProcess } from '../gateway-process.js'
import type { Fault } from './fault.js'

const HOUR = 3600
const JUMPS = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, 400 * 24 * HOUR, -5]

export function clockJump(gateways: readonly GatewayProcess[]): Fault {
  return {
    name: 'clock jumps',
    what: 'the wall clock is 5 s to 400 days wrong, either way, and right again (libfaketime)',
    lasts: [1500, 4000],
    plant(random) {
      const seconds = random.pick(JUMPS)!
      for (const gateway of gateways) gateway.setClock(seconds)
      return () => {
        for (const gateway of gateways) gateway.setClock(0)
      }
    },
  }
}
