/** Topics, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./topic.test.js')
