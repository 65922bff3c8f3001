import type { Failure } from '../failure.js'
import type { PipeView } from '../pipe-view.js'

/** What a view of a name with many transfers does not have: it is the name as a whole, and its transfers are views of their own. */
export abstract class WholeName {
  readonly transferId = ''
  readonly head = undefined
  readonly live = undefined
  readonly fanOut = undefined
  readonly sha256 = undefined
  readonly expectedBytes = undefined
  readonly receiversWanted = 1
  readonly looks = 0
  readonly bytesSkipped = 0
  readonly heldBackMs = 0
  readonly endedAt = undefined
  readonly endReason = undefined
  endFailure: Failure | undefined

  abstract transfers(): Iterable<PipeView>

  /** Nobody comes any more: who waits is told, and what runs goes on. */
  abstract close(): void

  /** Who looks here sees no single stream that waits for them. */
  looked(): void {}
}
