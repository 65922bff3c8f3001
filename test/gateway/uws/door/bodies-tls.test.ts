/** Bodies, once more over TLS. */
import { speakTls } from '../../../support/gateway.js'

speakTls()
await import('./bodies.test.js')
