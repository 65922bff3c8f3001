/** Queues with many jobs in one request, over real connections. */
import './queue/lines.js'
import './queue/turns.js'
import './queue/lines-lost.js'
import './queue/fair.js'
import { parts } from './queue/rig.js'

await Promise.all(parts)
