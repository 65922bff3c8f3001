/** Whether a server has closed its side: with a FIN, and not with a reset. */

import { readFileSync } from 'node:fs'

const CLOSE_WAIT = '08'

/**
 * Asks the kernel about a connection of this machine, plain and over IPv4, that has not been closed at this end. libuv reports data
 * and a reset behind it that come together as data and a clean end: it takes a hangup behind a short read for that
 * (`uv__stream_io`). A socket that was reset is in no state any more; one that got a FIN waits for ours.
 */
export function hasFin(localPort: number): boolean {
  const port = `0100007F:${localPort.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  return lines.some((line) => {
    const [, local, , state] = line.trim().split(/\s+/)
    return local === port && state === CLOSE_WAIT
  })
}
