import { runBulk } from '../bulk.js'
import type { Lane } from '../lane.js'
import { pipingServer } from '../peers.js'
import { makeTlsFiles } from '../tls-files.js'

const COUNTS = [16, 64] as const

export const fanOutTls: Lane = {
  name: 'fan-out-tls',
  title: 'One sender, 16 and 64 receivers that discard, TLS on all sides, per byte delivered',
  deadline: 600,
  compares: true,
  async run(context) {
    const { quick, head, report } = context
    const tls = makeTlsFiles()
    try {
      const peers = context.sides(pipingServer)
      const delivered = quick ? 5e8 : 4e9
      for (const receivers of COUNTS) {
        await runBulk(context, peers, {
          name: `1 to ${receivers}, TLS`,
          framing: 'length',
          bytes: Math.floor(delivered / receivers),
          receivers,
          tls,
          discards: true,
        })
      }
    } finally {
      tls.remove()
    }
    for (const receivers of COUNTS) {
      report.ratioGoal(`1 to ${receivers}, TLS: CPU`, head.name, 'piping-server', {
        what: `CPU per GB delivered against piping-server over TLS, ${receivers} receivers`,
        target: 0.8,
        bound: 'most',
      })
    }
  },
}
