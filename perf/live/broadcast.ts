/** One live stream with its viewers, measured. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Point } from '../client/stream-jobs.js'
import { ClientProcess } from '../clients.js'
import { cpuSeconds } from '../proc.js'
import { Relay } from '../relay.js'
import { MemoryWatch } from '../watch.js'
import type { Broadcaster } from './peers.js'
import { Program } from './programs.js'

export interface LiveLoad {
  readonly bytesPerSecond: number
  readonly viewers: number
  /** How many of them read no faster than this. */
  readonly slow: number
  readonly slowBytesPerSecond: number
  /** How many of the others leave in a second, and as many come. */
  readonly changes: number
  readonly seconds: number
  /** Times small transfers beside it. */
  readonly others: boolean
}

/** What `watch.c` tells. Times in milliseconds. */
interface Seen {
  readonly ready: number
  readonly bytes: number
  readonly joined: number
  readonly left: number
  /** Slow ones that were cut, or that some frames did not reach. */
  readonly slowCut: number
  readonly slowGaps: number
  /** The same of those that keep up. */
  readonly lost: number
  readonly gaps: number
  readonly lagP50: number
  readonly lagP99: number
  readonly lagMax: number
  readonly joinP50: number
  readonly joinP99: number
}

export interface LiveMeasure extends Seen {
  /** Processor seconds of the relay per 10⁹ bytes delivered. */
  readonly cpuPerGb: number
  /** Of one core: the relay, and the viewers. */
  readonly relayShare: number
  readonly viewersShare: number
  /** Bytes that reached viewers, per second. */
  readonly delivered: number
  readonly memory: MemoryWatch
  /** The most bytes that the gateway held, by its own telling; 0 for others. */
  readonly held: number
  /** Milliseconds that small transfers beside it took. */
  readonly others: readonly number[]
  readonly timeline: readonly Point[]
}

/** Viewers come at a thousand in a second, when they are let. */
const JOIN_S = 20
/** After that the stream flows for a moment before anything counts. */
const SETTLE_S = 2

export class Broadcast {
  readonly #folder: string

  /** @param folder where the programs are */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Starts a relay, a sender and viewers, and ends them. Rejects for a wrong byte; viewers that are lost are counted. */
  async run(from: Broadcaster, load: LiveLoad): Promise<LiveMeasure> {
    const relay = await Relay.start(from.peer)
    const { port } = relay.target
    const rest = new ClientProcess()
    const life = load.seconds + JOIN_S + SETTLE_S + 10
    const sender = new Program<{ t0: number }>(`${this.#folder}/live-send`, [
      ...[port, from.kind, from.sendPath],
      ...[load.bytesPerSecond, life],
    ])
    let viewers: Program<Seen> | undefined
    try {
      const { t0 } = await sender.next()
      viewers = new Program<Seen>(`${this.#folder}/live-watch`, [
        ...[port, from.watchPath, t0, load.bytesPerSecond, load.viewers],
        ...[load.slow, load.slowBytesPerSecond, load.changes, from.tellsOffset ? 1 : 0],
      ])
      return await Promise.race([this.#measure(relay, viewers, rest, load), sender.failed, viewers.failed])
    } finally {
      await Promise.all([viewers?.end(), sender.end(), rest.end()])
      await relay.stop()
    }
  }

  async #measure(relay: Relay, viewers: Program<Seen>, rest: ClientProcess, load: LiveLoad): Promise<LiveMeasure> {
    for (let i = 0; i < JOIN_S && (await viewers.next()).ready < nearlyAll(load); i++);
    await sleep(SETTLE_S * 1000)
    const memory = new MemoryWatch(relay.pid)
    const watched = relay.peer.isPipegate === true ? new HeldWatch(relay) : undefined
    const trips = load.others
      ? rest.start('roundTrips', { target: relay.target, prefix: '/small-', bytes: 1000, everyMs: 10 })
      : undefined
    await viewers.next()
    viewers.reset()
    const [at, cpu, watching] = [performance.now(), relay.cpu(), cpuSeconds(viewers.pid)]
    const timeline: Point[] = [[Date.now(), 0]]
    let seen: Seen
    do {
      seen = await viewers.next()
      timeline.push([Date.now(), seen.bytes])
    } while (performance.now() - at < load.seconds * 1000)
    const seconds = (performance.now() - at) / 1000
    const used = relay.cpu() - cpu
    trips?.stop()
    return {
      ...seen,
      cpuPerGb: used / (seen.bytes / 1e9),
      relayShare: used / seconds,
      viewersShare: (cpuSeconds(viewers.pid) - watching) / seconds,
      delivered: seen.bytes / seconds,
      memory: memory.stop(),
      held: (await watched?.stop()) ?? 0,
      others: (await trips?.done) ?? [],
      timeline,
    }
  }
}

/** Some are always on their way. */
export function nearlyAll({ viewers, changes }: LiveLoad): number {
  return viewers * 0.98 - changes
}

/** Asks a gateway now and then how many bytes it holds. */
class HeldWatch {
  #most = 0
  #isOver = false
  readonly #done: Promise<void>

  constructor(relay: Relay) {
    this.#done = this.#watch(relay)
  }

  async stop(): Promise<number> {
    this.#isOver = true
    await this.#done
    return this.#most
  }

  async #watch(relay: Relay): Promise<void> {
    while (!this.#isOver) {
      this.#most = Math.max(this.#most, (await relay.health()).heldBytes)
      await sleep(200)
    }
  }
}
