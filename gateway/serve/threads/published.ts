import type { OtherPools, OtherTables } from '../../../core/index.js'
import type { Sockets } from '../../native/sockets.js'
import type { FailedHandshakeSource } from '../failed-handshakes.js'
import type { Place } from './place.js'
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

/** Lines that logs have lost. The process's own is written by its first thread, which serves nobody: so one of the others tells of it. */
export function lostLinesOf(place: Place, own: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...own, ['gateway', place.number === 0 ? place.counts.others('lostLines') : 0]])
}

/** A connection comes to a thread behind its handshake. Those that fail are logged by the first thread, and told by one of the others. */
export function failedHandshakesOf({ number, tlsPlace }: Place, sockets: Sockets): FailedHandshakeSource {
  return {
    handshakesFailed: 0,
    get failedHandshakes() {
      return number === 0 ? sockets.failedHandshakes(tlsPlace) : ''
    },
  }
}
