/**
 * Hostile requests over real sockets, plain and over TLS, against the program, while honest transfers run beside them. The server lives and
 * answers, every client is answered or closed in time, every answer is well-formed and has nothing in it that the attacker
 * put there, the honest ones get their bytes and nobody else's, and nothing is left behind.
 *
 * An attack is drawn from its seed alone. The cases of `cases/` are attacks that once found something; they come first. An
 * attack that fails is printed as such a file. `PIPEGATE_SEED=<seed> node dist/test/fuzz/fuzz.test.js` begins with that
 * one. For longer: `PIPEGATE_FUZZ_SECONDS=600 npx tap --timeout=1500 dist/test/fuzz/fuzz.test.js`, which is for each of the two;
 * with `PIPEGATE_FUZZ_OVER=tls` or `plain` for that one.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { eventually } from '../support/eventually.js'
import { amount } from '../support/thorough.js'
import { assail, type Door } from './assailant.js'
import { type Attack, attackOf } from './attack.js'
import { canary } from './canary.js'
import { Server } from './server.js'

const { PIPEGATE_FUZZ_SECONDS, PIPEGATE_FUZZ_OVER = 'plain tls' } = process.env
const ROUNDS = [
  { name: 'plain', seconds: Number(PIPEGATE_FUZZ_SECONDS ?? amount(4, 10)) },
  { name: 'tls', seconds: Number(PIPEGATE_FUZZ_SECONDS ?? amount(3, 10)) },
].filter(({ name }) => PIPEGATE_FUZZ_OVER.split(' ').includes(name))
if (ROUNDS.length === 0) throw new Error(`PIPEGATE_FUZZ_OVER is ${PIPEGATE_FUZZ_OVER}: it can be plain or tls`)
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const CASES = fileURLToPath(new URL('../../../test/fuzz/cases/', import.meta.url))
const AT_ONCE = 40
const CANARIES = 2
const CANARY_EVERY_MS = 50
const HEALTH_EVERY_MS = 200
const MOST_FAILURES = 5
const MIB = 1024 * 1024
/** Of the whole process: its heap is limited besides. */
const MOST_GROWTH = 192 * MIB

t.setTimeout(ROUNDS.reduce((ms, { seconds }) => ms + (seconds + 240) * 1000, 0))

// Node 20 takes its connections apart when all is over, and with some of those that TLS was spoken on, and that were reset in the middle
// of what they sent, never comes to an end of that: it runs in a circle in CleanupHandles(). exit() leaves that out.
process.once('beforeExit', () => process.exit())

// Most of the time it waits.
t.jobs = ROUNDS.length
for (const { name, seconds } of ROUNDS) {
  t.test(`whatever is sent, nobody else notices: ${name}`, { timeout: (seconds + 180) * 1000 }, async (t) => {
    const server = new Server(name === 'tls' ? makeCertificate(t.testdir({})) : undefined)
    t.teardown(() => server.kill())
    await server.started()
    await canary(server.door)
    const before = await footprint(server)

    const cases = readCases()
    const until = performance.now() + seconds * 1000
    let next = FIRST
    let failures = 0
    const isOver = () => performance.now() >= until || failures >= MOST_FAILURES || server.ended !== undefined
    const draw = () => cases.shift() ?? (isOver() ? undefined : attackOf(next++))
    const underWay = new Set<Attack>()
    const attacks = async () => {
      for (let attack = draw(); attack !== undefined && server.ended === undefined; attack = draw()) {
        underWay.add(attack)
        const problems = await carryOut(server.door, attack)
        if (server.ended !== undefined) return
        underWay.delete(attack)
        if (problems.length === 0) continue
        failures++
        tell(t, attack, problems)
      }
    }
    let canaries = 0
    const fly = async () => {
      for (; !isOver(); await sleep(CANARY_EVERY_MS)) {
        await canary(server.door)
        canaries++
      }
    }
    const look = async () => {
      for (; !isOver(); await sleep(HEALTH_EVERY_MS)) await server.vitals()
    }
    const work = [...times(AT_ONCE, attacks), ...times(CANARIES, fly), look()]
    for (const { reason } of (await Promise.allSettled(work)).filter((each) => each.status === 'rejected'))
      t.fail(`${reason}`)

    t.comment(`seeds ${FIRST} to ${next - 1}, ${canaries} honest transfers`)
    t.equal(server.ended, undefined, 'it lives')
    if (server.ended !== undefined) for (const attack of underWay) tell(t, attack, ['it was under way'])
    else await leavesNothing(t, server, before)
    t.ok(canaries > 0, 'honest transfers ran')
    t.same(server.complaints, [], 'it has nothing to complain of')
  })
}

function times<T>(count: number, start: () => T): T[] {
  return Array.from({ length: count }, start)
}

function readCases(): Attack[] {
  const files = readdirSync(CASES).filter((file) => file.endsWith('.json'))
  return files.map((file) => JSON.parse(readFileSync(CASES + file, 'utf8')) as Attack)
}

async function carryOut(door: Door, { lines }: Attack): Promise<string[]> {
  try {
    return (await Promise.all(lines.map((line) => assail(door, line)))).flat()
  } catch (error) {
    return [`${error}`]
  }
}

function tell(t: Test, attack: Attack, problems: readonly string[]): void {
  t.comment(JSON.stringify(attack))
  t.fail(`attack ${attack.name}: ${problems.join('; ')}`)
}

async function footprint(server: Server) {
  return {
    memory: await server.metric('process_resident_memory_bytes'),
    descriptors: await server.metric('process_open_fds'),
  }
}

async function leavesNothing(t: Test, server: Server, before: Awaited<ReturnType<typeof footprint>>): Promise<void> {
  await t.resolves(
    eventually(
      async () => {
        const { waiting, streaming, heldBytes } = await server.vitals()
        const { descriptors } = await footprint(server)
        const more = descriptors - before.descriptors
        return (
          waiting + streaming + heldBytes + Math.max(0, more) === 0 ||
          JSON.stringify({ waiting, streaming, heldBytes, more })
        )
      },
      { timeoutMs: 60_000, everyMs: 100 },
    ),
    'nothing is left',
  )
  const { memory } = await footprint(server)
  const growth = Math.round((memory - before.memory) / MIB)
  t.ok(growth * MIB < MOST_GROWTH, `${growth} MiB more memory than at the start`)
}
