/** Packages that only a peer or its load needs: `sh perf/peers.sh` puts them into `perf/.peers`. */

import { createRequire } from 'node:module'
import { PEERS } from './paths.js'

const require = createRequire(`${PEERS}package.json`)

/** Loads one. Throws when it is not there. */
export function peersPackage(name: string): unknown {
  return require(name)
}

/** Whether it is there: a sentence for the report, or null. */
export function missingPackage(name: string): string | null {
  try {
    require.resolve(name)
    return null
  } catch {
    return `${name} is not installed: sh perf/peers.sh`
  }
}
