/** Duplex pipes, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./duplex.test.js')
