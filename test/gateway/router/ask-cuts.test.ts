/** Questions and answers whose connections are cut behind each of their bytes. */
import './ask/cuts.js'
import { parts } from './ask/rig.js'

await Promise.all(parts)
