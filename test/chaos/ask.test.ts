/**
 * Questions over real sockets, whose askers and workers are killed, reset, freeze and are silent. Whatever they do: who asks has the
 * whole answer to its own question, byte for byte, or a failure that it can tell from one; nobody waits for ever; an answer is
 * good once; and nothing is left behind.
 *
 * `PIPEGATE_SEED=<seed> node dist/test/chaos/ask.test.js` begins with that seed; `PIPEGATE_CHAOS_SECONDS` says for how long.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Random } from '../model/random.js'
import { type Running, startGateway } from '../support/gateway.js'
import { amount } from '../support/thorough.js'
import { ChaosAsker, ChaosWorker } from './ask-sides.js'
import { Diary } from './participant.js'
import { ROUNDS } from './rounds.js'
import { keepsNothing, openSockets, untilOr } from './watch.js'

const SECONDS = Number(process.env.PIPEGATE_CHAOS_SECONDS ?? amount(4, 80))
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 2
const ASKERS = 20
const LONGEST_MS = 30_000
/** With these an asker is told why there is no answer. */
const FAILURES = new Set([
  'NO_RECEIVERS',
  'RECEIVERS_LEFT',
  'RECEIVERS_STALLED',
  'NO_ANSWER',
  'SENDER_LEFT',
  'BROKEN_BODY',
])

interface Report {
  readonly problems: string[]
  readonly diary: Diary
  readonly ends: readonly string[]
}

/** One name with all its sides. Resolves with every rule that was broken. */
async function runName(seed: number, { port, tls }: Running): Promise<Report> {
  const random = new Random(seed)
  const diary = new Diary()
  const door = { port, tls }
  const path = `/ask-${seed}`
  const problems: string[] = []
  const until = untilOr(problems, LONGEST_MS)
  // Where all workers are good, whoever is good as well gets an answer.
  const areGood = random.chance(40)
  const used: string[] = []
  const workers = Array.from({ length: random.between(2, 5) }, (_, i) => {
    return new ChaosWorker(i, path, random, diary, door, areGood || i === 0, used)
  })
  const working = workers.map((each) => each.run(until))
  const askers: ChaosAsker[] = []
  for (let i = 0; i < ASKERS; i++) {
    const asker = new ChaosAsker(i, seed, path, random, diary, door)
    askers.push(asker)
    void asker.run().catch((error: Error) => problems.push(`${asker.who}: ${error.message}`))
    await sleep(random.below(60))
  }
  await Promise.all(askers.map((each) => until(() => each.isOver || each.hasLeft, `${each.who} is never answered`)))
  for (const each of workers) each.stop()
  await Promise.all(working)
  for (const asker of askers) for (const fault of faultsOf(asker, areGood)) problems.push(`${asker.who}: ${fault}`)
  for (const worker of workers) for (const fault of worker.faults) problems.push(`worker ${worker.index}: ${fault}`)
  for (const each of askers) each.close()
  return { problems, diary, ends: askers.map(endOf) }
}

function endOf(asker: ChaosAsker): string {
  if (asker.hasLeft) return 'left'
  if (!asker.isWhole) return 'cut'
  return asker.code ?? 'answered'
}

function* faultsOf(asker: ChaosAsker, areGood: boolean) {
  const { wrongAt, reader, hasLeft, isWhole, status, code, lacks, isGood } = asker
  if (wrongAt !== undefined) yield `wrong byte at ${wrongAt}`
  if (reader.problem !== undefined && !hasLeft) yield reader.problem
  if (isWhole && code === undefined) {
    if (status !== 200) yield `status ${status} without a code`
    if (lacks !== 0) yield `looks complete, and lacks ${lacks} bytes`
  }
  if (isWhole && code !== undefined && status < 400) yield `${code} with status ${status}`
  if (isGood && code !== undefined && !FAILURES.has(code)) yield `nothing explains ${status} ${code}`
  if (isGood && areGood && !hasLeft && (!isWhole || code !== undefined))
    yield `all was well, and it has ${status} ${code}, ${reader.bodyBytes} bytes`
}

t.setTimeout((SECONDS + 200) * 1000)
for (const round of ROUNDS) {
  t.test(`askers and workers come and go, ${round.name}`, { timeout: (SECONDS + 150) * 1000 }, async (t) => {
    const running = await startGateway(t, {}, { tls: round.tls })
    const sockets = openSockets()
    const ends: Record<string, number> = {}
    let next = FIRST
    let failures = 0
    const until = performance.now() + SECONDS * 1000 * round.share
    const work = async () => {
      while (performance.now() < until && failures < 5) {
        const seed = next++
        const report = await runName(seed, running)
        for (const end of report.ends) ends[end] = (ends[end] ?? 0) + 1
        if (report.problems.length === 0) continue
        failures++
        t.comment(`seed ${seed}:\n${report.diary.lines.join('\n')}`)
        t.fail(`seed ${seed}: ${report.problems.join('; ')}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    t.comment(`seeds ${FIRST} to ${next - 1}: ${JSON.stringify(ends)}`)
    t.equal(failures, 0, 'everybody was answered as they must')
    t.ok((ends.answered ?? 0) > 0, 'some had an answer')
    await t.resolves(keepsNothing(running, sockets))
  })
}
