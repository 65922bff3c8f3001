import type { Clock, MemoryBudget } from '../../../core/index.js'
import type { RequestLog } from '../../http/request-record.js'
import type { RequestView } from '../../http/request-view.js'
import type { ReadSize } from '../../native/read-size.js'
import type { Sockets } from '../../native/sockets.js'
import type { Clients } from './clients.js'
import type { Keepalive } from './keepalive.js'
import type { PeerWatch } from './peer-watch.js'

/** What all exchanges of one gateway share. */
export interface UwsContext {
  readonly clock: Clock
  readonly keepalive: Keepalive
  readonly peers: PeerWatch
  readonly sockets: Sockets
  /** Counts what is held. */
  readonly memory: MemoryBudget
  readonly readSize: ReadSize
  readonly clientAddressOf: (request: RequestView) => string
  readonly log: RequestLog
  /** A defect of the gateway was caught. The caller ends the exchange in which it happened. */
  readonly onFault: (error: unknown) => void
  /** The engine itself speaks TLS, without the helper: nothing may be written to another connection inside a callback. */
  readonly tls: boolean
  /** What is written is longer on the way. */
  readonly isEncrypted: boolean
  /** Null: clients are not asked for a certificate. */
  readonly clients: Clients | null
  /** End a failed sender's response cleanly instead of cutting it. */
  readonly cleanFailures: boolean
}

/** What is told when a client has closed its side. */
export interface HalfClosable {
  halfClosed(asked: boolean, early: boolean): void
}

/** The same, as the server passes it to its exchanges. */
export interface ExchangeContext extends UwsContext {
  /** A client was answered while it may still be uploading. It needs time to read the answer before its connection is closed. */
  readonly onEarlyAnswer: () => void
  /** By their sockets: those whose requests the helper has read, and whose responses are not over. */
  readonly exchanges: (HalfClosable | undefined)[]
}
