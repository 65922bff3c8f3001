/** Peers that want to hurt, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./duplex-hostile.test.js')
