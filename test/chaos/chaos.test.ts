/**
 * Many transfers at once over real sockets, in which everybody does at random what clients do: die, freeze, trickle, talk
 * out of turn, break their framing. Whatever happens, no receiver has a wrong byte, nobody takes a part for the whole, and
 * nothing is left behind.
 *
 * A transfer is drawn from its seed alone. `PIPEGATE_SEED=<seed>` begins with that one, `PIPEGATE_CHAOS_SECONDS=600` goes
 * on for longer.
 */

import t, { type Test } from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { startGateway } from '../support/gateway.js'
import { planOf } from './plan.js'
import { type Report, runTransfer } from './transfer.js'
import { keepsNothing, kept, openSockets } from './watch.js'

const KIB = 1024
const AT_ONCE = 12
const SECONDS = Number(process.env.PIPEGATE_CHAOS_SECONDS ?? 20)
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const MOST_FAILURES = 10
/** What one transfer may hold beyond its window: what one read brought, and what is not used of its first and last slab. */
const BEYOND_WINDOW = 256 * KIB

interface Round {
  readonly name: string
  /** Its part of the time. */
  readonly share: number
  readonly window: number
  readonly tls: boolean
}

const ROUNDS: readonly Round[] = [
  { name: 'a window of 1 MiB', share: 0.45, window: 1024 * KIB, tls: false },
  { name: 'the smallest window', share: 0.35, window: 64 * KIB, tls: false },
  { name: 'TLS', share: 0.2, window: 256 * KIB, tls: true },
]

for (const [i, round] of ROUNDS.entries()) {
  t.test(round.name, { timeout: (SECONDS + 120) * 1000 }, async (t) => {
    const files = round.tls ? makeCertificate(t.testdir({})) : undefined
    const tls = files === undefined ? {} : { tlsCert: files.cert, tlsKey: files.key }
    const running = await startGateway(t, { window: String(round.window), ...tls })
    const sockets = openSockets()
    const first = FIRST + i * 1_000_000
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
        const report = await runTransfer(planOf(next++, round.tls), running, { port: running.port, tls: round.tls })
        for (const reason of report.reasons) reasons[reason] = (reasons[reason] ?? 0) + 1
        if (report.problems.length === 0) continue
        failures++
        tell(t, report)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    clearInterval(sampling)
    t.comment(`seeds ${first} to ${next - 1}: ${JSON.stringify(reasons)}`)
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
