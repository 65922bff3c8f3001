import type { EndReason } from './end-reason.js'
import type { Failure } from './failure.js'
import type { StreamHead } from './stream-head.js'

export type Side = 'sender' | 'receiver'

export type PipeState = 'waiting' | 'streaming' | 'ended'

/** A read-only view of one pipe: the same object for its whole life. Times are readings of the core's clock. */
export interface PipeView {
  /** Counts up from 1: a name is used again, an id is not. */
  readonly id: number
  readonly key: string
  readonly state: PipeState
  /** The sender's name for the transfer; empty while there is no sender. */
  readonly transferId: string
  readonly hasSender: boolean
  /** The head of the stream; undefined before it is known. */
  readonly head: StreamHead | undefined
  readonly receiversWanted: number
  /** Receivers that are here now. */
  readonly receiversPresent: number
  /** Bytes read from the sender. */
  readonly bytesIn: number
  /** How far in the stream the slowest receiver is. What it skipped, because it had that already, counts once it has been read. */
  readonly bytesOut: number
  /** Bytes that all receivers together have taken. */
  readonly bytesSent: number
  /** Bytes that were read and that some receiver did not want, for all receivers together. */
  readonly bytesSkipped: number
  /** For how long the sender has been held back while it streamed, in milliseconds. */
  readonly heldBackMs: number
  /** The stream's length, announced or hinted at. */
  readonly expectedBytes: number | undefined
  /** The stream's SHA-256 in hexadecimal, once its last byte has been read, if a side asked for it. */
  readonly sha256: string | undefined
  readonly openedAt: number
  readonly pairedAt: number | undefined
  readonly endedAt: number | undefined
  readonly endReason: EndReason | undefined
  /** Why it was `stopped`, in the words of the caller that stopped it. */
  readonly endFailure: Failure | undefined
}
