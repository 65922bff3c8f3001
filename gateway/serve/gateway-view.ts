import { HeldBytes, type PipeTable, type SlabPool } from '../../core/index.js'
import type { Config } from '../config/config.js'
import type { GatewayView, Pipes } from '../host/plugin-api.js'
import { type HostRule, hostOf } from '../http/hosts.js'
import { schemeReader, trustedProxyTest } from '../http/trusted-proxies.js'
import { lostLines } from '../log/lost-lines.js'
import { ownAddresses } from './own-addresses.js'
import type { Ports } from './ports/ports.js'
import type { Place } from './threads/place.js'
import { lostLinesOf } from './threads/published.js'

/** What a gateway looks up when a plugin asks: its parts are made after the view of them. */
export interface GatewayState {
  readonly slabs: SlabPool
  readonly socketHelperInactive: string | undefined
  readonly ports: Pick<Ports, 'openRequests' | 'handshakes'>
  readonly isDraining: boolean
  readonly place: Place | undefined
}

/** The gateway as plugins see it. */
export function gatewayView(config: Config, hosts: HostRule, state: GatewayState): GatewayView {
  return {
    get socketHelperInactive() {
      return state.socketHelperInactive
    },
    get heldBytes() {
      return state.slabs.heldBytes
    },
    memory: config.memory,
    countHeld: () => new HeldBytes(state.slabs),
    window: config.window,
    get openRequests() {
      return state.ports.openRequests
    },
    schemeOf: schemeReader(config.trustedProxies, config.tlsCert !== undefined),
    hostOf(request) {
      const found = hosts.clientHost(request)
      return hosts.isBounded && hostOf(found) !== undefined ? found : undefined
    },
    get addresses() {
      return ownAddresses(config.host).filter((each) => hosts.serves(each))
    },
    isTrustedProxy: trustedProxyTest(config.trustedProxies) ?? (() => false),
    asksForCertificates: config.tlsClientAuth !== undefined,
    get draining() {
      return state.isDraining
    },
    get failedHandshakes() {
      return config.tlsCert === undefined ? new Map() : state.ports.handshakes.counts
    },
    get lostLogLines() {
      return state.place === undefined ? lostLines() : lostLinesOf(state.place, lostLines())
    },
  }
}

/** The pipes as plugins see them. */
export function pipesView(table: () => PipeTable): Pipes {
  return {
    get: (key) => table().get(key),
    all: () => table().all(),
    names: () => table().names(),
    get waiting() {
      return table().waiting
    },
    get streaming() {
      return table().streaming
    },
  }
}
