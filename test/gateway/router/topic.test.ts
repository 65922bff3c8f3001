/** Topics over real connections: every sentence of the contract's "?topic", and every misuse. */
import './topic/messages.js'
import './topic/formats.js'
import './topic/slow.js'
import './topic/lines.js'
import './topic/turns.js'
import './topic/ends.js'
import './topic/half-closed.js'
import './topic/crowds.js'
import './topic/web-sockets.js'
import { parts } from './topic/rig.js'

await Promise.all(parts)
