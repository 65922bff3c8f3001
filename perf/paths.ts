import { fileURLToPath } from 'node:url'

/** Where package.json is. */
export const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** Where `perf/peers.sh` puts what it builds. */
export const PEERS = `${PROJECT}perf/.peers/`
