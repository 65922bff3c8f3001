import { runBulk } from '../bulk.js'
import type { Context, Lane } from '../lane.js'
import { pipingServer } from '../peers.js'
import { median } from '../stats.js'

const COUNTS = [16, 64, 256] as const

export const fanOut: Lane = {
  name: 'fan-out',
  title: 'One sender, 16, 64 and 256 receivers, per byte delivered',
  deadline: 600,
  compares: true,
  async run(context) {
    const peers = context.sides(pipingServer)
    const delivered = context.quick ? 2.048e9 : 8.192e9
    for (const receivers of COUNTS) {
      await runBulk(context, peers, {
        name: `1 to ${receivers}`,
        framing: 'length',
        bytes: delivered / receivers,
        receivers,
      })
    }
    setGoals(context)
  },
}

// That it gets cheaper with more receivers, because each byte is read once for all of them, is no failure.
function setGoals({ head, report }: Context): void {
  const few = report.values(head.name, '1 to 16: CPU')
  const many = report.values(head.name, '1 to 256: CPU')
  report.ratioOf(many, few, { what: 'CPU per GB delivered, 256 receivers against 16', target: 1.25, bound: 'most' })
  report.goal('1 to 256: peak memory', head.name, 'MiB', {
    what: 'peak memory with 256 receivers, worst round',
    target: 256,
    bound: 'most',
    always: true,
  })
  for (const receivers of COUNTS) {
    const peer = report.values('piping-server', `1 to ${receivers}: CPU`)
    const own = report.values(head.name, `1 to ${receivers}: CPU`)
    if (peer === undefined || own === undefined) continue
    const ratio = median(own) / median(peer)
    report.note(`1 to ${receivers}: ${ratio.toFixed(2)} × the CPU of piping-server`)
  }
}
