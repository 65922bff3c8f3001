import { LIVE_LIMITS } from '../../core/index.js'
import type { Config } from '../config/config.js'
import { newTransferId } from '../http/transfer-id.js'
import type { RouterOptions } from '../router/options.js'
import { packageVersion } from './package-version.js'

/** What a gateway has made for its router. */
type Parts = Pick<
  RouterOptions,
  'transferIds' | 'onFault' | 'whenTurnComes' | 'hosts' | 'schemeOf' | 'isDraining' | 'memory' | 'health'
>

/** What the configuration means for the router. */
export function routerOptions(config: Config, parts: Parts): RouterOptions {
  return {
    ...parts,
    prefix: config.prefix,
    bareNames: config.bareNames,
    maxReceivers: config.maxReceivers,
    maxViewers: config.maxViewers,
    maxSubscribers: config.maxSubscribers,
    maxLagBytes: LIVE_LIMITS.budgetBytes,
    waitMs: config.wait * 1000,
    stallMaxMs: config.stallMax * 1000,
    peerGoneCode: config.peerGone === 'error' ? 1011 : 1001,
    replyAtEnd: config.reply === 'end',
    version: packageVersion(),
    newTransferId,
  }
}
