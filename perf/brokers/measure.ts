/** The lanes of messages: the same load for pipegate and for the message systems beside it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MessageKind } from '../client/brokers/crew.js'
import type { Flooded } from '../client/brokers/load.js'
import { ClientProcess } from '../clients.js'
import { interleave } from '../interleave.js'
import type { Context } from '../lane.js'
import type { Peer } from '../peers.js'
import { openFilesLimit } from '../proc.js'
import { Relay } from '../relay.js'
import type { Goal } from '../result.js'
import { median, quantile } from '../stats.js'
import type { Broker } from './broker.js'
import { BROKERS } from './index.js'
import { pipegateBrokers } from './pipegate.js'

export interface MessageLoad {
  readonly kind: MessageKind
  readonly senders: number
  readonly receivers: number
  /** Messages of each sender that are on their way, when as many as can be are sent. */
  readonly window: number
  /** Messages per second of all senders together, for the times. */
  readonly perSecond: number
  /** What a receiver is called. */
  readonly receiver: string
}

/** Large ones are not sent at an even rate: so many of them would be a load that no small one waits for. */
const SIZES = [
  { name: '64 bytes', bytes: 64, isPaced: true },
  { name: '16 KiB', bytes: 16_384, isPaced: true },
  { name: '128 KiB', bytes: 131_072, isPaced: false },
] as const

/** A round of all of them takes more than a minute. */
const MOST_ROUNDS = 3
/** How long each load lasts. */
const SECONDS = { quick: 1, full: 2 }
/** How long it is loaded before anything counts: code that has just started to run takes four times as long on Node. */
const WARM_UP_SECONDS = { quick: [1.5, 0.5, 0.5], full: [5, 3, 2] }

const IDLE = 1000
/** Connections that come and go before memory is read. */
const IDLE_WARM_UP = 50
/** What pipegate is meant to replace: the others are there to see where it stands. */
const RIVALS = ['RabbitMQ', 'gRPC relay']

/** A message system that runs, with the process that loads it. */
interface Side {
  readonly broker: Broker
  readonly relay: Relay
  readonly client: ClientProcess
}

export async function runMessages(context: Context, load: MessageLoad): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pipegate-messages-'))
  const stage = new Stage(context, load)
  try {
    for (const broker of brokersOf(context, load.kind, folder)) await stage.enter(broker)
    const rounds = context.quick ? 1 : Math.min(context.rounds, MOST_ROUNDS)
    await interleave(stage.sides, rounds, (side, round) => stage.play(side, round))
  } finally {
    await stage.close()
    rmSync(folder, { recursive: true, force: true })
  }
  goals(context, load)
  if (stage.failed !== null) throw stage.failed
}

function brokersOf({ sides, report }: Context, kind: MessageKind, folder: string): Broker[] {
  const rivals: Broker[] = []
  for (const start of BROKERS) {
    const broker = start(kind, folder)
    if (typeof broker === 'string') report.note(`skipped: ${broker}`)
    else rivals.push(broker)
  }
  const there = sides(...rivals.map(({ peer }) => peer))
  const versions = there.filter(({ isPipegate }) => isPipegate === true)
  const own = (peer: Peer) => pipegateBrokers(kind, peer)
  return there.flatMap((peer) => {
    // Two versions are compared in what both have.
    if (peer.isPipegate === true) return versions.length > 1 ? own(peer).slice(0, 1) : own(peer)
    return rivals.find((rival) => rival.peer === peer)!
  })
}

/** Those who run. One that fails leaves; when it is this pipegate, the lane fails after all the others have been measured. */
class Stage {
  readonly sides: Side[] = []
  failed: unknown = null
  readonly #context: Context
  readonly #load: MessageLoad
  readonly #out = new Set<Broker>()

  constructor(context: Context, load: MessageLoad) {
    this.#context = context
    this.#load = load
  }

  /** Starts one, measures what idle receivers cost it, and connects those that are loaded. */
  async enter(broker: Broker): Promise<void> {
    await this.#guard(broker, async () => {
      const side = { broker, relay: await Relay.start(broker.peer), client: new ClientProcess() }
      this.sides.push(side)
      if (broker.noIdle === undefined) await this.#measureIdle(side)
      else this.#context.report.note(broker.noIdle)
      const { kind, senders, receivers } = this.#load
      await this.#open(side, { kind, senders, receivers })
      for (const [i, { bytes }] of SIZES.entries()) await this.#flood(side, bytes, WARM_UP_SECONDS[this.#pace][i]!)
    })
  }

  /** One round of one side. */
  async play(side: Side, round: number): Promise<void> {
    await this.#guard(side.broker, async () => {
      for (const { name, bytes, isPaced } of SIZES) {
        await this.#measureFlood(side, name, bytes, round)
        if (isPaced) await this.#measurePace(side, name, bytes, round)
      }
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.sides.flatMap(({ relay, client }) => [relay.stop(), client.end()]))
  }

  get #pace(): 'quick' | 'full' {
    return this.#context.quick ? 'quick' : 'full'
  }

  async #guard(broker: Broker, run: () => Promise<void>): Promise<void> {
    if (this.#out.has(broker)) return
    const { head, report, say } = this.#context
    const { name } = broker.peer
    try {
      await run()
    } catch (error) {
      this.#out.add(broker)
      const why = error instanceof Error ? error.message : String(error)
      say(`${name}: ${why}`)
      // Another version of pipegate may not have the kind yet, nor this one the kind over WebSocket.
      const isOffered = name === head.name || !/\b501\b/.test(why)
      if (name.startsWith(head.name) && isOffered) this.failed ??= new Error(`${name}: ${why}`)
      else report.note(`${name} did not carry it: ${why}`)
    }
  }

  #open(
    { broker, relay, client }: Side,
    crew: { kind: MessageKind; senders: number; receivers: number },
  ): Promise<void> {
    return client.run('crewOpen', { language: broker.language, target: relay.target, ...crew })
  }

  #flood({ client }: Side, bytes: number, seconds: number): Promise<Flooded> {
    return client.run('crewFlood', { bytes, seconds, window: this.#load.window })
  }

  async #measureIdle(side: Side): Promise<void> {
    const { relay, client, broker } = side
    const { report, say } = this.#context
    const { kind, receiver } = this.#load
    const count = Math.min(IDLE, openFilesLimit(relay.pid) - 200)
    if (count < IDLE) report.note(`${count} idle ones: the limit of open files allows no more`)
    await this.#open(side, { kind, senders: 0, receivers: IDLE_WARM_UP })
    await client.run('crewClose', null)
    await relay.settle()
    const before = relay.memory()
    await this.#open(side, { kind, senders: 0, receivers: count })
    await relay.settle()
    const each = (relay.memory() - before) / count / 1000
    await client.run('crewClose', null)
    report.add(broker.peer.name, `memory per idle ${receiver}`, 'KB', each)
    say(`${broker.peer.name}: ${each.toFixed(1)} KB per idle ${receiver}`)
  }

  async #measureFlood(side: Side, size: string, bytes: number, round: number): Promise<void> {
    const { relay, broker } = side
    const { report, say } = this.#context
    await relay.settle()
    const before = relay.cpu()
    const { messages, seconds, longestWait } = await this.#flood(side, bytes, SECONDS[this.#pace])
    await relay.settle()
    const perCpuSecond = messages / (relay.cpu() - before)
    if (this.#load.kind === 'queue') {
      report.add(broker.peer.name, `${size}: longest mean wait of a producer`, '×', longestWait.senders)
      report.add(broker.peer.name, `${size}: longest mean wait of a worker`, '×', longestWait.receivers)
    }
    report.add(broker.peer.name, `${size}: per CPU second`, '/s', perCpuSecond)
    report.add(broker.peer.name, `${size}: per second`, '/s', messages / seconds)
    const rates = `${perCpuSecond.toFixed(0)} per CPU second, ${(messages / seconds).toFixed(0)} per second`
    say(`${size}, round ${round + 1}, ${broker.peer.name}: ${rates}`)
  }

  async #measurePace({ client, broker }: Side, size: string, bytes: number, round: number): Promise<void> {
    const { report, say } = this.#context
    const { perSecond } = this.#load
    const times = await client.run('crewPace', { bytes, perSecond, seconds: SECONDS[this.#pace] })
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
    report.add(broker.peer.name, `${size}: p50`, 'µs', p50)
    report.add(broker.peer.name, `${size}: p99`, 'µs', p99)
    say(`${size}, round ${round + 1}, ${broker.peer.name}: p50 ${p50.toFixed(0)} µs, p99 ${p99.toFixed(0)} µs`)
  }
}

function goals(context: Context, load: MessageLoad): void {
  for (const rival of RIVALS) {
    for (const { name, isPaced } of SIZES) {
      against(context, rival, `${name}: per CPU second`, `messages of ${name} per CPU second`, 1, 'least')
      if (isPaced) against(context, rival, `${name}: p99`, `p99 of messages of ${name}`, 1, 'most')
    }
  }
  const { kind, receiver } = load
  if (kind === 'topic') againstBest(context, '64 bytes: p50', 'p50 of pushed messages of 64 bytes', 1.2, 'most')
  againstBest(context, `memory per idle ${receiver}`, `memory per idle ${receiver}`, 1, 'most')
  againstBest(context, '128 KiB: per CPU second', 'messages of 128 KiB per CPU second', 1, 'least')
  if (kind === 'queue') fairness(context)
}

function against(
  { head, report }: Context,
  other: string,
  figure: string,
  what: string,
  target: number,
  bound: Goal['bound'],
) {
  report.ratioGoal(figure, head.name, other, { what: `${what} against ${other}`, target, bound })
}

/** Against whichever system of the others does it best. */
function againstBest(context: Context, figure: string, what: string, target: number, bound: Goal['bound']): void {
  const best = bestOf(context, figure, bound)
  if (best !== undefined) against(context, best, figure, what, target, bound)
}

function bestOf({ report, head }: Context, figure: string, bound: Goal['bound']): string | undefined {
  const others = report.sides.filter((name) => !name.startsWith(head.name) && report.values(name, figure) !== undefined)
  const value = (name: string) => median(report.values(name, figure)!) * (bound === 'most' ? 1 : -1)
  return others.sort((a, b) => value(a) - value(b))[0]
}

function fairness({ head, report }: Context): void {
  for (const who of ['producer', 'worker']) {
    for (const { name } of SIZES) {
      const what = `${name}: longest mean wait of a ${who}`
      report.goal(what, head.name, '×', { what: `${what} against the mean`, target: 2, bound: 'most', always: true })
    }
  }
}
