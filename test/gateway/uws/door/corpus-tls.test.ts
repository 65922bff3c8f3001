/** The reader's corpus, once more over TLS. */
import { speakTls } from '../../../support/gateway.js'

speakTls()
await import('./corpus.test.js')
