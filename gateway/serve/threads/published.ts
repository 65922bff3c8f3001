import type { OtherPools, PipeObserver, PipeTable } from '../../../core/index.js'
import type { SharedCounts } from './shared-counts.js'

/** What other threads wait for and stream, as limits want it. */
export function elsewhere(counts: SharedCounts): NonNullable<PipeTable['limits']['elsewhere']> {
  return {
    get waiting() {
      return counts.others('waiting')
    },
    get streaming() {
      return counts.others('streaming')
    },
  }
}

/** What other threads hold. */
export function otherPools(counts: SharedCounts): OtherPools {
  return {
    get heldBytes() {
      return counts.others('heldBytes')
    },
    tell: (heldBytes) => counts.set('heldBytes', heldBytes),
  }
}

/** Tells other threads what is waiting and streaming here, whenever that has changed. */
export function publisher(counts: SharedCounts, table: () => PipeTable): PipeObserver {
  const publish = () => {
    counts.set('waiting', table().waiting)
    counts.set('streaming', table().streaming)
  }
  return {
    onWaiting: publish,
    onJoined: publish,
    onLeft: publish,
    onLooked() {},
    onPaired: publish,
    onEnded: publish,
  }
}
