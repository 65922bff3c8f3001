import type { EndReason } from './end-reason.js'

export type PipeState = 'waiting' | 'streaming' | 'ended'

/** A read-only view of one pipe: the same object for its whole life. Times are readings of the pulse's clock. */
export interface PipeView {
  readonly key: string
  readonly state: PipeState
  /** The sender's name for the transfer; empty while there is no sender. */
  readonly transferId: string
  readonly hasSender: boolean
  readonly receiversWanted: number
  /** Receivers that are here now. */
  readonly receiversPresent: number
  /** Bytes read from the sender. */
  readonly bytesIn: number
  /** Bytes that the slowest receiver has taken. */
  readonly bytesOut: number
  /** The stream's length, announced or hinted at. */
  readonly expectedBytes: number | undefined
  readonly openedAt: number
  readonly pairedAt: number | undefined
  readonly endedAt: number | undefined
  readonly endReason: EndReason | undefined
}

/** Is told of every pipe. Calls are synchronous, come after the core's own step, and cannot change anything. */
export interface PipeObserver {
  /** Exactly once for each pipe, when its first side arrives. */
  onWaiting(pipe: PipeView): void
  /** At most once, when the last awaited side has arrived and the stream flows. */
  onPaired(pipe: PipeView): void
  /** Exactly once for each pipe, whatever happened. */
  onEnded(pipe: PipeView): void
}
