/** Duplex pipes and peers that want to hurt. */
import './duplex/hostile.js'
import { parts } from './duplex/rig.js'

await Promise.all(parts)
