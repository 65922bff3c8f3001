import { runBulk } from '../bulk.js'
import type { Lane } from '../lane.js'
import { goPipingServer, pipingServer } from '../peers.js'

export const migrateChunked: Lane = {
  name: 'migrate-chunked',
  title: 'One sender, one receiver, a body without a length, in chunks of 64 KiB',
  deadline: 300,
  compares: true,
  async run(context) {
    const { quick, head, report } = context
    const peers = context.sides(pipingServer, goPipingServer)
    const bytes = quick ? 5e8 : 2e9
    await runBulk(context, peers, { name: 'migrate-chunked', framing: 'chunked', bytes, receivers: 1 })
    report.ratioGoal('migrate-chunked: CPU', head.name, 'piping-server', {
      what: 'CPU per GB against piping-server',
      target: 0.5,
      bound: 'most',
    })
  },
}
