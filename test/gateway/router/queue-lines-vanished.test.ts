/** Workers with many jobs in one response, whose machine vanishes. */
import { runInOwnNetwork } from '../../support/own-network.js'

runInOwnNetwork(new URL('./queue/lines-vanished.js', import.meta.url))
