/** Duplex pipes over real connections: every sentence of the contract's "?duplex". */
import './duplex/http.js'
import './duplex/web-sockets.js'
import { parts } from './duplex/rig.js'

await Promise.all(parts)
