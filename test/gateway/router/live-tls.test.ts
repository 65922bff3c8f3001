/** Live streams, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./live.test.js')
