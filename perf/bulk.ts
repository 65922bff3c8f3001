/** Many bytes through relays: the part that `migrate` and its relatives share. */

import type { Framing } from './client/body-writer.js'
import type { Point } from './client/stream-jobs.js'
import { ClientProcess } from './clients.js'
import { interleave } from './interleave.js'
import type { Context } from './lane.js'
import type { Peer, StartOptions } from './peers.js'
import { Relay } from './relay.js'
import { MemoryWatch } from './watch.js'

export interface BulkLoad {
  /** Names the load in the report. */
  readonly name: string
  readonly framing: Framing
  /** Bytes of the body. */
  readonly bytes: number
  readonly receivers: number
  readonly tls?: StartOptions['tls']
  /** Receivers count what they get and do not compare it. */
  readonly discards?: boolean
}

/** One transfer, measured. */
export interface BulkMeasure {
  /** Processor seconds of the relay per 10⁹ bytes delivered. */
  readonly cpuPerGb: number
  /** 10⁶ bytes delivered per second. */
  readonly throughput: number
  readonly memory: MemoryWatch
  readonly timeline: readonly Point[]
}

const WARM_UP_BYTES = 256e6
const MIB = 1024 ** 2

/** Runs the load over all sides in turns, after a warm-up, and reports processor time, throughput and memory. */
export async function runBulk(context: Context, peers: readonly Peer[], load: BulkLoad): Promise<void> {
  const clients = new BulkClients()
  const lasting = peers.filter((peer) => peer.oneShot === undefined)
  const relays = new Map<Peer, Relay>()
  for (const peer of lasting) relays.set(peer, await Relay.start(peer, load.tls))
  for (const relay of relays.values()) {
    await clients.transfer(relay, { ...load, bytes: Math.min(load.bytes, WARM_UP_BYTES / load.receivers) })
  }
  await interleave(peers, context.rounds, async (peer, round) => {
    const relay = relays.get(peer) ?? (await Relay.start(peer))
    const measure = await clients.transfer(relay, load)
    report(context, peer.name, load.name, measure, round)
    if (peer.oneShot === true) await relay.stop()
  })
  await Promise.all([...relays.values()].map((relay) => relay.stop()))
  await clients.end()
}

function report({ report, say }: Context, side: string, load: string, measure: BulkMeasure, round: number): void {
  const { cpuPerGb, throughput, memory, timeline } = measure
  report.add(side, `${load}: CPU`, 's/GB', cpuPerGb)
  report.add(side, `${load}: throughput`, 'MB/s', throughput)
  report.add(side, `${load}: peak memory`, 'MiB', memory.peak / MIB)
  report.add(side, `${load}: memory growth`, 'MiB', memory.growth / MIB)
  say(`${load}, round ${round + 1}, ${side}: ${cpuPerGb.toFixed(3)} s/GB, ${throughput.toFixed(0)} MB/s`)
  if (round > 0) return
  report.throughput(side, load, timeline)
  report.memory(side, load, memory.points)
}

/** A process that sends and one that receives. */
export class BulkClients {
  readonly #sender = new ClientProcess()
  readonly #receiver = new ClientProcess()
  #transfers = 0

  /** The name that the next transfer takes. */
  get nextName(): string {
    return `/bulk-${this.#transfers + 1}`
  }

  /** One transfer, compared byte for byte on arrival unless the load says otherwise. Rejects when one of them is wrong or missing. */
  async transfer(relay: Relay, load: BulkLoad): Promise<BulkMeasure> {
    const { target } = relay
    const path = `${this.nextName}?n=${load.receivers}`
    this.#transfers++
    const receiving = this.#receiver.start('receive', {
      target,
      path,
      bytes: load.bytes,
      count: load.receivers,
      discards: load.discards === true,
    })
    await receiving.ready
    await relay.settle()
    const memory = new MemoryWatch(relay.pid)
    const cpuBefore = relay.cpu()
    const from = performance.now()
    const framing = target.scheme === 'raw' ? 'raw' : load.framing
    const sending = this.#sender.start('send', { target, path, bytes: load.bytes, framing })
    // A sender that is refused says why, and its receivers would wait for ever.
    await Promise.race([receiving.done, sending.done.then(() => receiving.done)])
    const seconds = (performance.now() - from) / 1000
    if (target.scheme !== 'raw') await sending.done
    const cpu = relay.cpu() - cpuBefore
    sending.stop()
    const { timeline } = await receiving.done
    const delivered = load.bytes * load.receivers
    return {
      cpuPerGb: cpu / (delivered / 1e9),
      throughput: delivered / 1e6 / seconds,
      memory: memory.stop(),
      timeline,
    }
  }

  async end(): Promise<void> {
    await Promise.all([this.#sender.end(), this.#receiver.end()])
  }
}
