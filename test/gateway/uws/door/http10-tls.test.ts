/** HTTP/1.0, once more over TLS. */
import { speakTls } from '../../../support/gateway.js'

speakTls()
await import('./http10.test.js')
