import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'

/** A peer that joined both directions at once: its places in them. */
export interface DuplexPeer {
  readonly sender: SenderEndpoint
  readonly receiver: ReceiverEndpoint
  /** It has ended both directions in order: what it said is complete, and what the other says interests nobody. */
  close(): void
}
