/** Live streams over real connections: every sentence of the contract's "?live: readers come and go", and every misuse. */
import './live/streaming.js'
import './live/joining.js'
import './live/slow.js'
import './live/ends.js'
import './live/webm-joining.js'
import './live/recorded.js'
import './live/clashes.js'
import './live/crowds.js'
import { parts } from './live/rig.js'

await Promise.all(parts)
