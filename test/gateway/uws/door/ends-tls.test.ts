/** How connections end, once more over TLS. */
import { speakTls } from '../../../support/gateway.js'

speakTls()
await import('./ends.test.js')
