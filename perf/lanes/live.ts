import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { Broadcast, type LiveLoad, type LiveMeasure, nearlyAll } from '../live/broadcast.js'
import { type Broadcaster, broadcaster, icecast, nchan } from '../live/peers.js'
import { buildPrograms, needsCompiler } from '../live/programs.js'
import { quantile } from '../stats.js'

const MIB = 1024 ** 2
/** About a stream of 1080p. */
const RATE = 2e6
const VIEWERS = 1000
/** A load that every side carries, to compare what it costs. */
const FEWER = 250
const MOST_ROUNDS = 3
/** Steps down from what is wanted, until one is carried. */
const STEPS = [1, 0.75, 0.5, 0.375, 0.25, 0.125, 0.0625]
/** A stream is carried when nobody is lost who keeps up, and nearly all is there within this time. */
const MOST_LAG_MS = 1000

const load = (viewers: number, bytesPerSecond: number, seconds: number, others = false): LiveLoad => ({
  ...{ viewers, bytesPerSecond, seconds, others },
  slow: Math.round(viewers * 0.05),
  slowBytesPerSecond: bytesPerSecond / 20,
  changes: 10,
})

export const live: Lane = {
  name: 'live',
  title: `A live stream of 2 MB/s to ${VIEWERS} viewers, 5 % of them slow, 10 leaving and joining each second`,
  deadline: 3600,
  async run(context) {
    const missing = needsCompiler()
    if (missing !== null) return context.report.note(`skipped: ${missing}`)
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-live-'))
    try {
      buildPrograms(folder)
      await runSides(context, new Broadcast(folder), folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function runSides(context: Context, broadcast: Broadcast, folder: string): Promise<void> {
  const { head, report, quick } = context
  const rivals = [nchan(folder), icecast(folder)]
  const there = context.sides(...rivals.map(({ peer }) => peer))
  const sides = there.map((peer) => rivals.find((rival) => rival.peer === peer) ?? broadcaster(peer))
  const rounds = Math.min(context.rounds, quick ? 1 : MOST_ROUNDS)
  const seconds = quick ? 15 : 60
  const measure = async (viewers: number) => {
    await interleave(sides, rounds, async (side, round) => {
      const others = side.peer.isPipegate === true && viewers === VIEWERS
      const seen = await attempt(context, side, broadcast, load(viewers, RATE, seconds, others))
      if (seen !== undefined) tell(context, side, `${viewers} viewers`, seen, round)
    })
  }
  await measure(FEWER)
  await measure(VIEWERS)
  if (!quick) for (const side of sides) await findMost(context, broadcast, side)
  for (const rival of sides.slice(1)) {
    report.ratioGoal(`${FEWER} viewers: CPU`, head.name, rival.peer.name, {
      what: `${FEWER} viewers: CPU per GB delivered against ${rival.peer.name}`,
      target: 1,
      bound: 'most',
    })
  }
  const goal = (figure: string, unit: string, target: number, what: string) =>
    report.goal(`${VIEWERS} viewers: ${figure}`, head.name, unit, { what, target, bound: 'most', always: true })
  goal('lost', '', 0, `viewers of ${VIEWERS} that kept up and were cut, worst round`)
  goal('bytes held', 'MiB', 64, `bytes held with ${VIEWERS} viewers, worst round`)
  goal('small transfers, p99', 'ms', 20, `p99 of small transfers beside ${VIEWERS} viewers, worst round`)
}

/** What a rival cannot carry is worth a note; what we cannot is a failure. */
async function attempt({ head, report, say }: Context, side: Broadcaster, broadcast: Broadcast, what: LiveLoad) {
  const { name } = side.peer
  try {
    return await broadcast.run(side, what)
  } catch (error) {
    if (name === head.name) throw error
    const { viewers, bytesPerSecond } = what
    report.note(`${name} did not carry ${bytesPerSecond / 1e6} MB/s to ${viewers} viewers`)
    say(`${name}: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

function tell({ report, say }: Context, { peer }: Broadcaster, name: string, seen: LiveMeasure, round: number): void {
  const add = (figure: string, unit: string, value: number) => report.add(peer.name, `${name}: ${figure}`, unit, value)
  add('CPU', 's/GB', seen.cpuPerGb)
  add('delivered', 'MB/s', seen.delivered / 1e6)
  add('CPU of the relay, of one core', '%', seen.relayShare * 100)
  add('CPU of the viewers, of one core', '%', seen.viewersShare * 100)
  add('lag, p50', 'ms', seen.lagP50)
  add('lag, p99', 'ms', seen.lagP99)
  add('to the first byte, p50', 'ms', seen.joinP50)
  add('lost', '', seen.lost + seen.gaps)
  add('slow ones cut', '', seen.slowCut)
  if (seen.slowGaps > 0) add('slow ones that miss frames', '', seen.slowGaps)
  add('peak memory', 'MiB', seen.memory.peak / MIB)
  if (peer.isPipegate === true) add('bytes held', 'MiB', seen.held / MIB)
  if (seen.others.length > 0) {
    add('small transfers, p50', 'ms', quantile(seen.others, 0.5))
    add('small transfers, p99', 'ms', quantile(seen.others, 0.99))
  }
  if (round === 0) {
    report.throughput(peer.name, name, seen.timeline)
    report.memory(peer.name, name, seen.memory.points)
  }
  const { cpuPerGb, delivered, lagP50, lagP99, lost, slowCut } = seen
  say(
    `${name}, round ${round + 1}, ${peer.name}: ${(delivered / 1e6).toFixed(0)} MB/s, ${cpuPerGb.toFixed(3)} s/GB, lag ${lagP50} and ${lagP99} ms, ${lost} lost, ${slowCut} slow ones cut`,
  )
}

/** How many viewers at the wanted rate, and which rate with the wanted viewers, this side carries on this machine. */
async function findMost(context: Context, broadcast: Broadcast, side: Broadcaster): Promise<void> {
  const { report, say } = context
  const { name } = side.peer
  const carries = async (viewers: number, rate: number) => {
    const trial = load(viewers, rate, 10)
    const seen = await attempt(context, side, broadcast, trial)
    if (seen === undefined) return false
    const isCarried = seen.lost + seen.gaps === 0 && seen.lagP99 < MOST_LAG_MS && seen.ready >= nearlyAll(trial)
    say(`${name}: ${viewers} viewers at ${rate / 1e6} MB/s: ${isCarried ? 'yes' : 'no'} (lag ${seen.lagP99} ms)`)
    return isCarried
  }
  const viewers = await firstOf(STEPS, (step) => carries(Math.round(VIEWERS * step), RATE))
  report.add(name, 'most viewers at 2 MB/s', '', Math.round(VIEWERS * viewers))
  const rate = viewers === 1 ? 1 : await firstOf(STEPS, (step) => carries(VIEWERS, RATE * step))
  report.add(name, `rate with ${VIEWERS} viewers`, 'MB/s', (RATE * rate) / 1e6)
}

/** The first step that holds; 0 for none. */
async function firstOf(steps: readonly number[], holds: (step: number) => Promise<boolean>): Promise<number> {
  for (const step of steps) if (await holds(step)) return step
  return 0
}
