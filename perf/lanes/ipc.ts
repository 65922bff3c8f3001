import { ClientProcess } from '../clients.js'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { bareNode, nats, type Peer, pipingServer, redis } from '../peers.js'
import { Relay } from '../relay.js'
import { quantile } from '../stats.js'

/** The yardstick: a line makes the same two hops through it, client to relay and relay to client. */
const BARE_RELAY = bareNode('relay')
const BARE_ECHO = bareNode('echo')

export const ipc: Lane = {
  name: 'ipc',
  title: 'Lines of 64 bytes one by one through an open pipe, from write to arrival',
  deadline: 240,
  compares: true,
  async run(context) {
    const { head, report } = context
    const peers = context.sides(BARE_RELAY, BARE_ECHO, pipingServer, redis, nats)
    const relays = new Map<Peer, Relay>()
    for (const peer of peers) relays.set(peer, await Relay.start(peer))
    const client = new ClientProcess()
    await interleave(peers, context.rounds, (peer, round) => runRound(context, relays.get(peer)!, client, round))
    await Promise.all([client.end(), ...[...relays.values()].map((relay) => relay.stop())])
    for (const point of ['p50', 'p99'] as const) {
      report.ratioGoal(`one way, ${point}`, head.name, BARE_RELAY.name, {
        what: `one way, ${point}, against a bare Node TCP relay`,
        target: 1.2,
        bound: 'most',
      })
    }
    report.goal('one way, p99', head.name, 'µs', { what: 'one way, p99', target: 1000, bound: 'most' })
  },
}

async function runRound(context: Context, relay: Relay, client: ClientProcess, round: number): Promise<void> {
  const { report, quick, say } = context
  const { target, peer } = relay
  const echo = peer === BARE_ECHO
  const lines = quick ? 5000 : 20_000
  const times = await client.run('lines', { target, echo, path: `/ipc-${round}`, bytes: 64, lines, warmUp: lines / 5 })
  // The way back is a way too, for an echo.
  const [label, share] = echo ? ['half a round trip', 0.5] : ['one way', 1]
  for (const [point, of] of [['p50', 0.5] as const, ['p99', 0.99] as const]) {
    const value = quantile(times, of) * share
    report.add(peer.name, `${label}, ${point}`, 'µs', value)
    say(`round ${round + 1}, ${peer.name}: ${point} ${value.toFixed(0)} µs`)
  }
}
