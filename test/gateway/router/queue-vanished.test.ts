/** Workers of a queue whose machine vanishes. */
import { runInOwnNetwork } from '../../support/own-network.js'

runInOwnNetwork(new URL('./queue/vanished.js', import.meta.url))
