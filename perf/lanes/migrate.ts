import { runBulk } from '../bulk.js'
import type { Lane } from '../lane.js'
import { goPipingServer, pipingServer, rustPipingServer, socat } from '../peers.js'

export const migrate: Lane = {
  name: 'migrate',
  title: 'One sender, one receiver, a body with Content-Length',
  deadline: 300,
  compares: true,
  async run(context) {
    const { quick, head, report } = context
    const peers = context.sides(pipingServer, socat, goPipingServer, rustPipingServer)
    await runBulk(context, peers, { name: 'migrate', framing: 'length', bytes: quick ? 5e8 : 2e9, receivers: 1 })
    report.ratioGoal('migrate: CPU', head.name, 'piping-server', {
      what: 'CPU per GB against piping-server',
      target: 0.4,
      bound: 'most',
    })
    report.ratioGoal('migrate: CPU', head.name, 'socat', {
      what: 'CPU per GB against socat',
      target: 1,
      bound: 'most',
    })
  },
}
