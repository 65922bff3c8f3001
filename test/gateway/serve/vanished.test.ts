/** Clients whose machine vanishes. */
import { runInOwnNetwork } from '../../support/own-network.js'

runInOwnNetwork(new URL('./vanished.js', import.meta.url))
