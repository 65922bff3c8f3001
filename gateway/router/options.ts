import type { SlabPool } from '../../core/index.js'
import type { PluginHost } from '../host/plugin-host.js'
import type { AddressRules } from '../http/address.js'
import type { HostRule } from '../http/hosts.js'
import type { RequestView } from '../http/request-view.js'
import type { TransferIds } from './transfer-ids.js'

export interface RouterOptions extends AddressRules {
  readonly maxReceivers: number
  /** Viewers that a live stream may have, and the most bytes that one of them may be behind. */
  readonly maxViewers: number
  readonly maxLagBytes: number
  /** Subscribers that a topic may have. */
  readonly maxSubscribers: number
  /** How long a side waits by default, in milliseconds. */
  readonly waitMs: number
  /** The longest stall that a receiver is allowed, in milliseconds. 0: no limit. */
  readonly stallMaxMs: number
  /** Whether senders are answered only at the end by default. */
  readonly replyAtEnd: boolean
  /** The code by which a WebSocket on a duplex pipe is told that the other peer has vanished. */
  readonly peerGoneCode: number
  /** The version of this program. */
  readonly version: string
  readonly newTransferId: () => string
  readonly transferIds: Pick<TransferIds, 'isInUse'>
  /** A defect was caught where nobody is left to be told. */
  readonly onFault: (error: unknown) => void
  /** Calls this when the turns of crowds come to it: in a later turn of the event loop, which has a budget of its own. */
  readonly whenTurnComes: (run: () => void) => void
  /** Which hosts are served. */
  readonly hosts: HostRule
  /** The scheme that the client of a request uses. */
  readonly schemeOf: (request: RequestView) => 'http' | 'https'
  /** Whether the gateway is shutting down and takes no new work. */
  readonly isDraining: () => boolean
  /** For what is held of bodies while plugins decide, and of messages that are not complete; while it is scarce there are no more WebSockets. */
  readonly memory: Pick<SlabPool, 'reserve' | 'unreserve' | 'slabBytes' | 'isScarce' | 'hold' | 'give'>
  /** The answer of `/health`. */
  readonly health: () => { readonly status: number; readonly body: unknown }
}

/** The part of the plugin host that requests meet. */
export type RouterPlugins = Pick<PluginHost, 'admission' | 'events' | 'routes' | 'modes' | 'claims' | 'pageOrigins'>
