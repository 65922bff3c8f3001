/** Queues with many jobs in one request, once more over TLS. */
import { speakTls } from '../../support/gateway.js'

speakTls()
await import('./queue-lines.test.js')
