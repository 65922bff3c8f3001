/** One run from the start of the gateways to the verdict. */

import { performance } from 'node:perf_hooks'
import { Random } from '../model/random.js'
import type { Teardown } from '../support/teardown.js'
import { plantFaults } from './faults/schedule.js'
import type { GatewayProcess } from './gateway-process.js'
import { type Baseline, baselineOf, leaksOf } from './leaks.js'
import { Crew } from './load/crew.js'
import { Probe } from './probe.js'
import { Tally } from './tally.js'
import { Timeline } from './timeline.js'
import { buildWorld, type World } from './world.js'

const DEADLINE_MS = 60_000
/** Of the gateway's own, without what it waited for a core: what is above this is no pause of the garbage collector. */
const MOST_SILENCE_MS = 5000

export interface RunOptions {
  readonly seed: number
  readonly seconds: number
  /** Of one core, for both gateways together. */
  readonly share: number
  /** Of each gateway. */
  readonly threads?: number
  readonly folder: string
  readonly note: (text: string) => void
}

export interface GatewayFigures {
  readonly name: string
  readonly silenceMs: number
  readonly silences: ReadonlyMap<number, number>
  readonly baseline: Baseline
  readonly residentBytes: number
  readonly mostResidentBytes: number
  readonly descriptors: number
  readonly cpuSeconds: number
  readonly logLines: number
  readonly lostLines: number
  readonly warnings: ReadonlyMap<string, number>
}

export interface Result {
  readonly options: RunOptions
  readonly seconds: number
  readonly tally: Tally
  readonly faults: readonly { readonly name: string; readonly what: string; readonly planted: number }[]
  readonly gateways: readonly GatewayFigures[]
}

export async function soak(t: Teardown, options: RunOptions): Promise<Result> {
  const { seed, share, note } = options
  const timeline = new Timeline()
  const tally = new Tally(note)
  const world = await buildWorld(t, options.folder, timeline, options.threads)
  const cpuSeconds = () => world.gateways.reduce((sum, each) => sum + (each.isRunning ? each.cpuSeconds : 0), 0)
  const crew = new Crew(seed, { tally, timeline, deadlineMs: DEADLINE_MS }, share, cpuSeconds)
  note('every kind of load once')
  for (const kind of world.kinds) await crew.once(kind)
  const baselines = await baselinesOf(world)
  const probes = world.gateways.map(({ port, pid, scheme, options: { name } }) => {
    return new Probe({ port, pid, tls: scheme === 'https' }, timeline, `${name} stopped`)
  })
  const most = world.gateways.map(() => 0)
  const sampling = setInterval(() => {
    for (const [i, each] of world.gateways.entries())
      if (each.isRunning) most[i] = Math.max(most[i]!, each.residentBytes)
  }, 1000)
  const from = performance.now()
  crew.start(world.kinds)
  const random = new Random(seed)
  await plantFaults(world.faults, options.seconds * 1000, { random, tally, timeline, note })
  await crew.stop()
  const seconds = (performance.now() - from) / 1000
  note('the load has stopped, and every fault is mended')
  await Promise.all(probes.map((each) => each.stop()))
  clearInterval(sampling)
  await afterwards(world, crew, baselines, tally)
  const gateways = await Promise.all(
    world.gateways.map(async (gateway, i) => {
      const now = {
        residentBytes: gateway.residentBytes,
        descriptors: gateway.descriptors,
        cpuSeconds: gateway.cpuSeconds,
      }
      await judgeEnd(gateway, tally)
      const { longestMs, above } = probes[i]!
      const { name } = gateway.options
      if (longestMs > MOST_SILENCE_MS) tally.problem('silence of the loop', `${name}: ${Math.round(longestMs)} ms`)
      const { lines, lost, warnings } = gateway.log
      return {
        name,
        ...now,
        mostResidentBytes: most[i]!,
        baseline: baselines[i]!,
        silenceMs: longestMs,
        silences: above,
        logLines: lines,
        lostLines: lost,
        warnings,
      }
    }),
  )
  const faults = world.faults.map(({ name, what }) => ({ name, what, planted: timeline.count(name) }))
  return { options, seconds, tally, faults, gateways }
}

async function baselinesOf({ gateways, servers }: World): Promise<Baseline[]> {
  servers.closeIdle()
  return Promise.all(gateways.map(baselineOf))
}

/** Nobody is there any more: nothing may be left, counts have to agree, and everything has to work as before. */
async function afterwards(world: World, crew: Crew, baselines: readonly Baseline[], tally: Tally): Promise<void> {
  world.servers.closeIdle()
  for (const [i, gateway] of world.gateways.entries())
    for (const leak of await leaksOf(gateway, baselines[i]!)) tally.problem('leaks', leak)
  let complete = 0
  for (const gateway of world.gateways)
    complete += (await gateway.metrics()).value('pipegate_transfers_total', { reason: 'complete' })
  const { toldComplete: told, unheard } = tally
  if (complete < told || complete > told + unheard)
    tally.problem(
      'sides that disagree',
      `${told} senders were told that it is complete, ${unheard} did not hear, and the gateways count ${complete}`,
    )
  for (const kind of world.kinds) {
    const before = tally.total
    // By chance somebody leaves in the middle of one.
    for (let i = 0; i < 10 && same(before, tally, kind.name); i++) await crew.once(kind)
    if (same(before, tally, kind.name)) tally.problem('leaks', `afterwards none of ten works: ${kind.name}`)
  }
}

/** Whether no job has been verified since; those to be refused are not meant to be. */
function same(before: { verified: number }, tally: Tally, kind: string): boolean {
  return kind !== 'requests to refuse' && tally.total.verified === before.verified
}

async function judgeEnd(gateway: GatewayProcess, tally: Tally): Promise<void> {
  const { name } = gateway.options
  const code = await gateway.stop()
  if (code !== 0) tally.problem('leaks', `${name}: SIGTERM ends it with ${code}: ${gateway.stderr.slice(-1000)}`)
  for (const text of gateway.log.problems) tally.problem('torn or missing lines of the log', `${name}: ${text}`)
}
