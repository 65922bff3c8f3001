/** Logs that cannot be written. */

import { Agent, get } from 'node:https'
import { eventually } from '../../support/eventually.js'
import type { GatewayProcess } from '../gateway-process.js'
import { type Fault, orMend } from './fault.js'

/** No file of the process may grow any further: its log, and its access log if that is as long. */
export function fullDisk(gateway: GatewayProcess): Fault {
  return {
    name: "log's disk full",
    what: 'RLIMIT_FSIZE at the present length of the log; then none',
    lasts: [500, 4000],
    async plant() {
      const full = gateway.logBytes + 1000
      gateway.limit(`--fsize=${full}:unlimited`)
      // It may have written some more before the limit held.
      const isFull = eventually(() => gateway.logBytes >= full || 'there is room left', { timeoutMs: 60_000 })
      return orMend(isFull, () => gateway.limit('--fsize=unlimited:unlimited'))
    },
  }
}

export function stoppedReader(gateway: GatewayProcess): Fault {
  return {
    name: 'log reader stopped',
    what: 'whoever reads standard output reads no more, of more lines than a pipe takes; then goes on',
    lasts: [500, 6000],
    async plant() {
      gateway.output!.pause()
      await longLines(gateway.port)
      return () => void gateway.output!.resume()
    },
  }
}

/** So many bytes of lines that the pipe is full, and the rest has to wait in the gateway. */
const LINES = 400

/** Requests with long names, each of which is a line of more than a kilobyte. A refusal is one too. */
async function longLines(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false })
  const path = `/${'x'.repeat(1000)}?status`
  const one = () =>
    new Promise<void>((resolve) => {
      const request = get({ host: 'localhost', port, path, agent, timeout: 20_000 }, (response) => {
        response.resume().once('close', resolve)
      })
      request.once('error', () => resolve()).once('timeout', () => request.destroy())
    })
  await Promise.all(Array.from({ length: LINES }, one))
  agent.destroy()
}
