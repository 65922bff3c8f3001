import { runBulk } from '../bulk.js'
import type { Lane } from '../lane.js'
import { goPipingServer, pipingServer, rustPipingServer } from '../peers.js'
import { makeTlsFiles } from '../tls-files.js'

export const migrateTls: Lane = {
  name: 'migrate-tls',
  title: 'One sender, one receiver, a body with Content-Length, TLS on both sides',
  deadline: 300,
  compares: true,
  async run(context) {
    const { quick, head, report } = context
    const tls = makeTlsFiles()
    try {
      const peers = context.sides(pipingServer, goPipingServer, rustPipingServer)
      const bytes = quick ? 2e8 : 1e9
      await runBulk(context, peers, { name: 'migrate-tls', framing: 'length', bytes, receivers: 1, tls })
    } finally {
      tls.remove()
    }
    report.ratioGoal('migrate-tls: CPU', head.name, 'piping-server', {
      what: 'CPU per GB against piping-server over TLS',
      target: 0.7,
      bound: 'most',
    })
    for (const peer of [goPipingServer, rustPipingServer]) {
      report.ratioGoal('migrate-tls: CPU', head.name, peer.name, {
        what: `CPU per GB against ${peer.name} over TLS`,
        target: 1,
        bound: 'most',
      })
    }
  },
}
