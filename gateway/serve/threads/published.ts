import type { OtherPools, OtherTables } from '../../../core/index.js'
import type { SharedCounts } from './shared-counts.js'

/** What waits and streams in other threads. */
export function otherTables(counts: SharedCounts): OtherTables {
  return {
    get waiting() {
      return counts.others('waiting')
    },
    get streaming() {
      return counts.others('streaming')
    },
    tell(waiting, streaming) {
      counts.set('waiting', waiting)
      counts.set('streaming', streaming)
    },
  }
}

/** What other threads hold and have set aside. */
export function otherPools(counts: SharedCounts): OtherPools {
  return {
    get heldBytes() {
      return counts.others('heldBytes')
    },
    get reservedBytes() {
      return counts.others('reservedBytes')
    },
    tell(heldBytes, reservedBytes) {
      counts.set('heldBytes', heldBytes)
      counts.set('reservedBytes', reservedBytes)
      counts.settle()
    },
  }
}
