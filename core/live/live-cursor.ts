import type { OwnedBytes } from '../bytes.js'
import { Cursor } from '../flow/cursor.js'
import type { LiveReceiverOptions } from '../live-options.js'
import type { Sink } from '../ports.js'
import type { Entry } from './entry.js'

/** One viewer of a live stream. */
export class LiveCursor extends Cursor {
  /** The sink has been told to begin. */
  begun = false
  /** It waits for an entry, and is offered nothing. */
  waits = false
  /** What of a header the sink has still to take before anything else. */
  preface: OwnedBytes | null = null
  /** It could not be served in this turn, for want of time and not of room, and has not been served since. */
  isPostponed = false
  /** Where it stops to leave out what is between here and a later entry. */
  stop: Entry | undefined
  /** Offset behind the last byte that it was offered: the sink may have announced all of that, so nothing of it can be left out. */
  offeredTo = 0

  constructor(
    sink: Sink,
    readonly options: LiveReceiverOptions,
  ) {
    super(sink)
  }

  override startAt(offset: number): void {
    super.startAt(offset)
    this.offeredTo = offset
  }

  /** Goes on at this offset, as if it had had everything before. */
  goOnAt(offset: number): void {
    this.offeredTo = offset
    this.from += offset - this.at
    this.at = offset
  }
}

/** A viewer that waits for an entry at this offset or behind it. */
export interface Waiting {
  readonly cursor: LiveCursor
  readonly from: number
  /** The header that it has had. */
  readonly header: OwnedBytes | undefined
}
