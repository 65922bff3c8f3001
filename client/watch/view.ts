import type { Snapshot } from '../../plugins/transfer-status/snapshot.js'

/** All that is shown of a name while it is watched. */
export interface View {
  readonly name: string
  /** undefined before the server has answered. */
  readonly snapshot: Snapshot | undefined
  /** While there is no connection. */
  readonly loss: ConnectionLoss | undefined
  /** How often bytes have been seen to move. */
  readonly moves: number
  /** Milliseconds since then, or since the stream was first seen. */
  readonly stillMs: number
}

export interface ConnectionLoss {
  /** Part of a sentence. */
  readonly why: string
  /** Milliseconds until the next attempt. */
  readonly retryMs: number
}
