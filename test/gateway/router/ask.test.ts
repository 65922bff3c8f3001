/** Questions over real connections: every sentence of the contract's "?ask and ?serve: a question and its answer". */
import './ask/answering.js'
import './ask/ends.js'
import { parts } from './ask/rig.js'

await Promise.all(parts)
