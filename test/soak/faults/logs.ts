/** Logs that cannot be written. */

import type { GatewayProcess } from '../gateway-process.js'
import type { Fault } from './fault.js'

/** No file of the process may grow any further: its log, and its access log if that is as long. */
export function fullDisk(gateway: GatewayProcess): Fault {
  return {
    name: "log's disk full",
    what: 'RLIMIT_FSIZE at the present length of the log; then none',
    lasts: [500, 4000],
    plant() {
      gateway.limit(`--fsize=${gateway.logBytes + 1000}:unlimited`)
      return () => gateway.limit('--fsize=unlimited:unlimited')
    },
  }
}

export function stoppedReader(gateway: GatewayProcess): Fault {
  return {
    name: 'log reader stopped',
    what: 'whoever reads standard output reads no more; then goes on',
    lasts: [500, 6000],
    plant() {
      gateway.output!.pause()
      return () => void gateway.output!.resume()
    },
  }
}
