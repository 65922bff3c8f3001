import type { QueueCounts } from '../pipe-view.js'
import { SharedName } from './shared-name.js'

/** Each stream to exactly one receiver, first come, first served. The senders that wait are the store: nothing of theirs is read. */
export class Queue extends SharedName {
  readonly kind = 'queue'
  readonly sides = { sender: 'senders', receiver: 'receivers' }

  override get queue(): QueueCounts {
    const { sendersWaiting: senders, receiversWaiting: receivers, running } = this.matching
    return { senders, receivers, running: running.size }
  }
}
