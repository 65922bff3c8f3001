import { setTimeout as sleep } from 'node:timers/promises'
import { ClientProcess } from '../clients.js'
import type { Context, Lane } from '../lane.js'
import { type Peer, pipingServer } from '../peers.js'
import { Relay } from '../relay.js'
import { quantile } from '../stats.js'
import { MemoryWatch } from '../watch.js'

const BYTES_PER_SECOND = 5e6
const SENDER_WRITE = 4 * 1024 ** 2
const MIB = 1024 ** 2

/** One round of each: the figures are of a minute each, and the targets are absolute. */
export const slowReader: Lane = {
  name: 'slow-reader',
  title: 'A sender that writes 4 MiB at once, a reader at 5 MB/s, and small transfers beside them',
  deadline: 300,
  async run(context) {
    const { head, report, quick } = context
    const seconds = quick ? 20 : 60
    for (const peer of context.sides(pipingServer)) await runPeer(context, peer, peer === head ? seconds : seconds / 2)
    report.goal('memory growth', head.name, 'MiB', { what: 'memory growth', target: 16, bound: 'most' })
    report.goal('small transfers, p99', head.name, 'ms', {
      what: 'p99 of small transfers beside it',
      target: 50,
      bound: 'most',
    })
  },
}

async function runPeer({ report }: Context, peer: Peer, seconds: number): Promise<void> {
  const relay = await Relay.start(peer)
  const { target } = relay
  const [sender, receiver, others] = [new ClientProcess(), new ClientProcess(), new ClientProcess()]
  // What every process takes for its first requests is not what a slow reader costs.
  await others.run('churn', { target, prefix: '/warm-', transfers: 2000, parallel: 4, fresh: false, bytes: 1000 })
  await relay.settle()
  const memory = new MemoryWatch(relay.pid)
  const bytes = 1e12
  const receiving = receiver.start('receive', {
    ...{ target, path: '/slow', bytes, count: 1 },
    bytesPerSecond: BYTES_PER_SECOND,
  })
  await receiving.ready
  const sending = sender.start('sendUntilStopped', {
    target,
    path: '/slow',
    bytes,
    framing: 'length',
    piece: SENDER_WRITE,
  })
  const trips = others.start('roundTrips', { target, prefix: '/small-', bytes: 1000, everyMs: 10 })
  await Promise.race([sleep(seconds * 1000), receiving.done, sending.done, trips.done])
  memory.stop()
  trips.stop()
  const times = await trips.done
  receiving.stop()
  sending.stop()
  const { timeline } = await receiving.done
  await sending.done
  checkPace(timeline.at(-1)![1], seconds)
  report.add(peer.name, 'memory growth', 'MiB', memory.growth / MIB)
  report.add(peer.name, 'peak memory', 'MiB', memory.peak / MIB)
  report.add(peer.name, 'small transfers, p50', 'ms', quantile(times, 0.5))
  report.add(peer.name, 'small transfers, p99', 'ms', quantile(times, 0.99))
  report.add(peer.name, 'small transfers, longest', 'ms', Math.max(...times))
  report.memory(peer.name, 'slow reader', memory.points)
  report.throughput(peer.name, 'slow reader', timeline)
  await Promise.all([relay.stop(), sender.end(), receiver.end(), others.end()])
}

/** Whether the reader was slow by its own will: a relay that gives it nothing is no relay. */
function checkPace(bytes: number, seconds: number): void {
  const share = bytes / (BYTES_PER_SECOND * seconds)
  if (share < 0.85 || share > 1.05)
    throw new Error(`the reader got ${(share * 100).toFixed(0)} % of what it would take`)
}
