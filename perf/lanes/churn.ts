import { ClientProcess } from '../clients.js'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { type Peer, pipingServer, rustPipingServer } from '../peers.js'
import { Relay } from '../relay.js'

const LOADS = [
  { name: 'kept connections', fresh: false, transfers: 20_000 },
  { name: 'new connections', fresh: true, transfers: 8000 },
] as const

type Load = (typeof LOADS)[number]

export const churn: Lane = {
  name: 'churn',
  title: 'Transfers of 64 bytes back to back, 32 at a time',
  deadline: 300,
  compares: true,
  async run(context) {
    const { head, report } = context
    const peers = context.sides(pipingServer, rustPipingServer)
    const relays = new Map<Peer, Relay>()
    for (const peer of peers) relays.set(peer, await Relay.start(peer))
    const client = new ClientProcess()
    for (const load of LOADS) {
      await interleave(peers, context.rounds, (peer, round) =>
        runRound(context, relays.get(peer)!, client, load, round),
      )
      report.ratioGoal(`${load.name}: per CPU second`, head.name, 'piping-server', {
        what: `transfers per CPU second against piping-server, ${load.name}`,
        target: 3,
        bound: 'least',
      })
      report.ratioGoal(`${load.name}: per CPU second`, head.name, 'piping-server-rust', {
        what: `transfers per CPU second against piping-server-rust, ${load.name}`,
        target: 1,
        bound: 'least',
      })
    }
    await Promise.all([client.end(), ...[...relays.values()].map((relay) => relay.stop())])
  },
}

async function runRound(
  context: Context,
  relay: Relay,
  client: ClientProcess,
  load: Load,
  round: number,
): Promise<void> {
  const { report, quick, say } = context
  const transfers = quick ? load.transfers / 4 : load.transfers
  const job = { target: relay.target, parallel: 32, bytes: 64, fresh: load.fresh }
  const prefix = `/churn-${load.fresh ? 'new' : 'kept'}-${round}-`
  if (round === 0) await client.run('churn', { ...job, prefix: `${prefix}warm-`, transfers: transfers / 4 })
  await relay.settle()
  const before = relay.cpu()
  const seconds = await client.run('churn', { ...job, prefix, transfers })
  await relay.settle()
  const perCpuSecond = transfers / (relay.cpu() - before)
  report.add(relay.peer.name, `${load.name}: per CPU second`, '/s', perCpuSecond)
  report.add(relay.peer.name, `${load.name}: per second`, '/s', transfers / seconds)
  say(`${load.name}, round ${round + 1}, ${relay.peer.name}: ${perCpuSecond.toFixed(0)} per CPU second`)
}
