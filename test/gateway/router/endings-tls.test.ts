/** Every way a transfer can end, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./endings.test.js')
