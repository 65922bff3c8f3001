import type { PipeTable, SlabPool } from '../../core/index.js'

/** The answer to `/health`, with its status. */
export function healthReport(isDraining: boolean, table: PipeTable, slabs: SlabPool) {
  return {
    status: isDraining ? 503 : 200,
    body: {
      status: isDraining ? 'draining' : 'ok',
      waiting: table.waiting,
      streaming: table.streaming,
      heldBytes: slabs.heldBytes,
      uptimeSec: Math.round(process.uptime()),
    },
  }
}
