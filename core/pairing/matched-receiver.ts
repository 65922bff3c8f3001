import { Cursor } from '../flow/cursor.js'
import type { ReceiverJoinOptions } from '../join-options.js'
import type { PipeView } from '../pipe-view.js'
import type { Sink } from '../ports.js'
import { ReceiverEndpoint, type ReceiverPipe } from './receiver-endpoint.js'
import type { Place, Queued } from './waiting-line.js'

/** A receiver that stands in line first, and belongs to a transfer once it has been matched with a sender. */
export class MatchedReceiver extends ReceiverEndpoint implements Queued<MatchedReceiver> {
  place: Place<MatchedReceiver> | undefined

  constructor(line: ReceiverPipe, sink: Sink, options: ReceiverJoinOptions) {
    // It gets whatever comes: a part of that is nothing that it could ask for.
    super(line, new Cursor(sink), options.range === undefined ? options : { ...options, range: undefined })
  }

  /** Whether its client is there, as far as can be told now. */
  get isHere(): boolean {
    return this.cursor.sink.isHere()
  }

  /** Whether this stream may be for it. */
  takes(transfer: PipeView): boolean {
    return this.options.takes?.(transfer) !== false
  }

  /** From now on it reports to this transfer. */
  belongsTo(transfer: ReceiverPipe): void {
    this.stopWaiting()
    this.pipe = transfer
  }
}
