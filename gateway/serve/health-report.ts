import type { PipeTable, SlabPool } from '../../core/index.js'
import type { SharedCounts } from './threads/shared-counts.js'

/**
 * The answer to `/health`, with its status.
 * @param counts of all threads, if there are several
 */
export function healthReport(isDraining: boolean, table: PipeTable, slabs: SlabPool, counts?: SharedCounts) {
  return {
    status: isDraining ? 503 : 200,
    body: {
      status: isDraining ? 'draining' : 'ok',
      waiting: table.waiting + (counts?.others('waiting') ?? 0),
      streaming: table.streaming + (counts?.others('streaming') ?? 0),
      heldBytes: slabs.heldBytes + (counts?.others('heldBytes') ?? 0),
      uptimeSec: Math.round(process.uptime()),
    },
  }
}
