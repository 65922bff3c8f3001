import { setTimeout as sleep } from 'node:timers/promises'
import { ClientProcess } from '../clients.js'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { type Peer, pipingServer } from '../peers.js'
import { openFilesLimit } from '../proc.js'
import { Relay } from '../relay.js'

const CONNECTIONS = 10_000
const SERVED = 100

export const waiting: Lane = {
  name: 'waiting',
  title: '10 000 receivers that wait for senders who do not come',
  deadline: 400,
  async run(context) {
    const { head, report, quick } = context
    const rounds = quick ? Math.min(2, context.rounds) : context.rounds
    await interleave(context.sides(pipingServer), rounds, (peer, round) => runRound(context, peer, round))
    report.goal('memory per connection', head.name, 'KB', {
      what: 'memory per waiting connection',
      target: 3,
      bound: 'most',
    })
    report.goal('idle CPU', head.name, '%', { what: 'CPU while they wait, of one core', target: 1, bound: 'most' })
  },
}

async function runRound({ report, quick, say }: Context, peer: Peer, round: number): Promise<void> {
  const relay = await Relay.start(peer)
  const { target } = relay
  const client = new ClientProcess()
  await client.run('churn', { target, prefix: '/warm-', transfers: 1000, parallel: 32, fresh: true, bytes: 64 })
  await relay.settle()
  // Some are kept for what else is open.
  const count = Math.min(CONNECTIONS, openFilesLimit(relay.pid) - 200)
  if (count < CONNECTIONS) report.note(`${count} connections: the limit of open files allows no more`)
  const before = relay.memory()
  const job = client.start('wait', { target, count, served: SERVED })
  await job.ready
  await relay.settle()
  const perConnection = (relay.memory() - before) / count
  const idle = await idleShare(relay, quick ? 3 : 10)
  job.stop()
  await job.done
  report.add(peer.name, 'memory per connection', 'KB', perConnection / 1000)
  report.add(peer.name, 'idle CPU', '%', idle * 100)
  say(
    `round ${round + 1}, ${peer.name}: ${perConnection.toFixed(0)} bytes per connection, ${(idle * 100).toFixed(1)} %`,
  )
  await Promise.all([relay.stop(), client.end()])
}

/** The share of one core that the relay uses in the next `seconds`. */
async function idleShare(relay: Relay, seconds: number): Promise<number> {
  const before = relay.cpu()
  const from = performance.now()
  await sleep(seconds * 1000)
  return (relay.cpu() - before) / ((performance.now() - from) / 1000)
}
