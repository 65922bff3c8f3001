/** Queues over real connections: every sentence of the contract's "?queue: each body to exactly one". */
import './queue/delivering.js'
import './queue/workers.js'
import './queue/lost.js'
import './queue/clashes.js'
import { parts } from './queue/rig.js'

await Promise.all(parts)
