/**
 * Many transfers at once over real sockets, in which everybody does at random what clients do: die, freeze, trickle, talk
 * out of turn, break their framing. Whatever happens, no receiver has a wrong byte, nobody takes a part for the whole, and
 * nothing is left behind.
 *
 * A transfer is drawn from its seed alone, and its round is too. What a failure prints is repeated, as far as a kernel and
 * a clock let it, by `PIPEGATE_SEED=<seed> node dist/test/chaos/chaos.test.js`, which begins with that one. For longer:
 * `PIPEGATE_CHAOS_SECONDS=600 npx tap --timeout=900 dist/test/chaos/chaos.test.js`.
 */

import t, { type Test } from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { startGateway } from '../support/gateway.js'
import { amount } from '../support/thorough.js'
import { planOf } from './plan.js'
import { type Report, runTransfer } from './transfer.js'
import { keepsNothing, kept, openSockets } from './watch.js'

const KIB = 1024
const MIB = 1024 * KIB
const AT_ONCE = 12
const SCARCE = 6 * MIB
const SECONDS = Number(process.env.PIPEGATE_CHAOS_SECONDS ?? amount(8, 20))
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const MOST_FAILURES = 10
/** What one transfer may hold beyond its window: what one read brought, and what is not used of its first and last slab. */
const BEYOND_WINDOW = 256 * KIB

interface Round {
  readonly name: string
  /** Its part of the time. */
  readonly share: number
  readonly window: number
  readonly memory: number
  readonly tls: boolean
}

const ROUNDS: readonly Round[] = [
  { name: 'a window of 1 MiB', share: 0.35, window: MIB, memory: 256 * MIB, tls: false },
  { name: 'the smallest window', share: 0.25, window: 64 * KIB, memory: 256 * MIB, tls: false },
  { name: 'TLS', share: 0.2, window: 256 * KIB, memory: 256 * MIB, tls: true },
  // Less than all of the windows together, and enough for what every transfer has read before its pause.
  { name: 'scarce memory', share: 0.2, window: MIB, memory: SCARCE, tls: false },
]

// A process of its own ends itself in time, too.
t.setTimeout((SECONDS + 300) * 1000)
for (const [i, round] of ROUNDS.entries()) {
  t.test(round.name, { timeout: (SECONDS + 120) * 1000 }, async (t) => {
    const files = round.tls ? makeCertificate(t.testdir({})) : undefined
    const tls = files === undefined ? {} : { tlsCert: files.cert, tlsKey: files.key }
    const running = await startGateway(t, { window: String(round.window), memory: String(round.memory), ...tls })
    const sockets = openSockets()
    const first = FIRST + ((i - (FIRST % ROUNDS.length) + ROUNDS.length) % ROUNDS.length)
    let next = first
    let failures = 0
    let mostHeld = 0
    const reasons: Record<string, number> = {}
    const sampling = setInterval(() => {
      const { waiting, streaming, slabs } = kept(running)
      const beyond = slabs * 64 * KIB - (waiting + streaming) * (round.window + BEYOND_WINDOW)
      mostHeld = Math.max(mostHeld, beyond)
    }, 50)
    const until = performance.now() + SECONDS * 1000 * round.share
    const work = async () => {
      while (performance.now() < until && failures < MOST_FAILURES) {
        const plan = planOf(next)
        next += ROUNDS.length
        const report = await runTransfer(plan, running, { port: running.port, tls: round.tls })
        for (const reason of report.reasons) reasons[reason] = (reasons[reason] ?? 0) + 1
        if (report.problems.length === 0) continue
        failures++
        tell(t, report)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    clearInterval(sampling)
    t.comment(`every ${ROUNDS.length}th seed from ${first} to ${next - ROUNDS.length}: ${JSON.stringify(reasons)}`)
    t.equal(failures, 0, 'every transfer ended as it must')
    t.ok(mostHeld <= 0, `memory stays in its bound: ${mostHeld} bytes beyond it`)
    t.ok((reasons.complete ?? 0) > 0, 'some were complete')
    await t.resolves(keepsNothing(running, sockets))
  })
}

function tell(t: Test, { plan, problems, story }: Report): void {
  t.comment(`seed ${plan.seed}:\n${story}`)
  t.fail(`seed ${plan.seed}: ${problems.join('; ')}`)
}
