import type { SlabPool } from '../../core/index.js'
import type { Config } from '../config/config.js'
import { clientAddressReader } from '../http/trusted-proxies.js'
import type { GatewayLog, Logger } from '../log/log.js'
import { ReadSize } from '../native/read-size.js'
import { Clients } from '../uws/connection/clients.js'
import type { UwsContext } from '../uws/connection/context.js'

type Parts = Pick<UwsContext, 'sockets' | 'clock' | 'keepalive' | 'peers'> & { readonly memory: SlabPool }

/** What the exchanges of a gateway share. @param request where lines of requests go; null for nowhere */
export function serverContext(config: Config, log: Logger, request: GatewayLog['request'], parts: Parts): UwsContext {
  const isEncrypted = config.tlsCert !== undefined
  return {
    ...parts,
    readSize: new ReadSize(parts.memory, parts.sockets),
    clientAddressOf: clientAddressReader(config.trustedProxies),
    log: request ?? (() => {}),
    onFault: (error: unknown) => log.error({ err: error }, 'a transfer met a defect of the gateway'),
    tls: isEncrypted && !parts.sockets.speakTls,
    isEncrypted,
    clients: config.tlsClientAuth === undefined ? null : new Clients(parts.sockets),
    cleanFailures: config.failedEnd === 'clean',
  }
}
