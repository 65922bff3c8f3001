/** One lane, in a process of its own: `lane-process.js ORDER`, with the order as JSON. Sends its result to its parent. */

import { endAll } from './children.js'
import type { Context, Lane } from './lane.js'
import { LANES } from './lanes/index.js'
import { describeMachine } from './machine.js'
import { type Peer, pipegate } from './peers.js'
import { Report } from './report-builder.js'
import type { LaneResult } from './result.js'

/** What to run. */
export interface LaneOrder {
  readonly lane: string
  readonly quick: boolean
  readonly rounds: number
  /** Seconds, for lanes that run as long as they are asked to. */
  readonly seconds: number | null
  /** The project folder of another version, built, to compare with. */
  readonly base: string | null
}

const order = JSON.parse(process.argv[2] ?? '{}') as LaneOrder
const lane = LANES.find(({ name }) => name === order.lane)
if (lane === undefined) throw new Error(`there is no lane "${order.lane}"`)
const report = new Report()
const startedAt = new Date()
const failed = await runLane(lane, createContext())
await endAll()
const result: LaneResult = {
  lane: lane.name,
  title: lane.title,
  startedAt: startedAt.toISOString(),
  seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
  quick: order.quick,
  rounds: order.rounds,
  machine: describeMachine(),
  ...report.build(),
  failed,
}
// Only when it has been sent.
process.send?.({ result }, undefined, undefined, () => process.exit())

async function runLane({ deadline, run }: Lane, context: Context): Promise<string | null> {
  const seconds = deadline + (order.seconds ?? 0)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`not done after ${seconds} seconds`), seconds * 1000)
  })
  try {
    return (await Promise.race([run(context), late])) ?? null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
  }
}

function createContext(): Context {
  const head = pipegate()
  return {
    quick: order.quick,
    rounds: order.rounds,
    seconds: order.seconds,
    head,
    report,
    sides: (...peers) => [head, ...(order.base === null ? peers.filter(isThere) : [pipegate(order.base, 'base')])],
    say: (line) => process.stderr.write(`  ${line}\n`),
  }
}

function isThere(peer: Peer): boolean {
  const missing = peer.missing()
  if (missing !== null) report.note(`skipped: ${missing}`)
  return missing === null
}
