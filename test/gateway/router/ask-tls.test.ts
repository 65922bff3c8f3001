/** Questions, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./ask.test.js')
