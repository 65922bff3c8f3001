/** Queues, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./queue.test.js')
