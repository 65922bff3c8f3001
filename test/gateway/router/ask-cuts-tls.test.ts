/** The same over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./ask-cuts.test.js')
