/** Workers of many jobs that are slow, or gone: nothing is done twice, and nothing is lost without a word. */
import { Random } from '../../../model/random.js'
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { speaksTls, startGateway } from '../../../support/gateway.js'
import type { RawClient, RawResponse } from '../../../support/raw.js'
import { amount } from '../../../support/thorough.js'
import { hires, linesOf, numbers, pours } from './lines-rig.js'
import { countsOf, MIB, part } from './rig.js'

/** How many were delivered and lost, by what their producer was told. */
function told({ status, body }: RawResponse): { delivered: number; lost: number } {
  const text = body.toString()
  const all = /^\[INFO\] Delivered (\d+) job\(s\)\.\n$/.exec(text)
  if (status === 200 && all !== null) return { delivered: Number(all[1]), lost: 0 }
  const some = /^\[ERROR\] (\d+) job\(s\) were delivered, and (\d+) lost: .*\n$/.exec(text)
  if (status !== 502 || some === null) throw new Error(`${status} ${text}`)
  return { delivered: Number(some[1]), lost: Number(some[2]) }
}

/** Jobs that are done before anything happens. */
const SURE = 20

for (const way of ['reset', 'destroy'] as const) {
  part(`a worker that goes in the middle (${way}): each job once, and what is lost is told`, async (t) => {
    const gateway = await startGateway(t)
    const random = new Random(way.length)
    const rounds = amount(25, 400)
    let lost = 0
    for (let round = 0; round < rounds; round++) {
      const jobs = numbers(200, `job ${round}`, random.below(2000))
      const [dying, living] = [await hires(gateway), await hires(gateway)]
      t.same(told(await pours(gateway, numbers(SURE, 'sure'))), { delivered: SURE, lost: 0 })
      const answer = pours(gateway, jobs)
      const after = random.below(200_000)
      const got = () => linesOf(dying).length + linesOf(living).length
      await eventually(() => dying.receivedBytes >= after || got() >= SURE + 200 || `${got()} of 200`, { everyMs: 1 })
      dying[way]()
      const sum = told(await answer)
      const all = [...linesOf(dying), ...linesOf(living)]
      const sure = all.filter((line) => line.startsWith('sure'))
      t.equal(new Set(sure).size, sure.length, 'what had arrived is given to nobody else')
      // What a machine has got, and is late with acknowledging, looks like what is on its way. After a handshake it always is late.
      if (!speaksTls()) t.equal(new Set(all).size, all.length, `round ${round}: each job once`)
      if (sum.delivered + sum.lost !== 200) t.fail(`round ${round}: ${JSON.stringify(sum)} of 200`)
      const rest = linesOf(living).filter((line) => line.startsWith('job'))
      if (rest.length > sum.delivered) t.fail(`round ${round}: more were got than delivered`)
      lost += sum.lost
      living.destroy()
      await eventually(() => gateway.gateway.table.get('q') === undefined || JSON.stringify(countsOf(gateway)))
    }
    t.pass(`${lost} of ${rounds * 200} jobs were lost, and told of`)
    t.equal(gateway.gateway.slabs.heldBytes, 0)
  })
}

part('a worker that is gone the moment before jobs come: another one gets all of them', async (t) => {
  const gateway = await startGateway(t)
  for (let round = 0; round < amount(30, 500); round++) {
    const dead = await hires(gateway)
    const living = await hires(gateway)
    dead[round % 2 === 0 ? 'reset' : 'destroy']()
    const answer = await pours(gateway, numbers(10, 'job'))
    if (answer.body.toString() !== '[INFO] Delivered 10 job(s).\n') t.fail(`round ${round}: ${answer.body}`)
    await eventually(() => linesOf(living).length === 10 || `${linesOf(living).length} jobs`)
    living.destroy()
    await eventually(() => gateway.gateway.table.get('q') === undefined || JSON.stringify(countsOf(gateway)))
  }
  t.pass('none was lost')
})

part('a killed curl: its jobs are given back or told of', async (t) => {
  const gateway = await startGateway(t)
  const killed = curl(['-sN', '--limit-rate', '100k', `${gateway.origin}/q?queue&lines`])
  await eventually(() => countsOf(gateway)?.receivers === 1 || 'nobody waits')
  const answer = pours(gateway, numbers(3000, 'job', 1000))
  await killed.waitFor('job 10 ')
  killed.kill()
  await eventually(() => (countsOf(gateway)?.workers ?? 0) === 0 || 'it is still there')
  const living = await hires(gateway)
  const sum = told(await answer)
  t.equal(sum.delivered + sum.lost, 3000)
  const before = killed.stdoutText.split('\n').slice(0, -1)
  const all = [...before, ...linesOf(living)]
  if (!speaksTls()) t.equal(new Set(all).size, all.length, 'each once')
  t.ok(all.length > 3000 - 3000 * 0.9, `${before.length} and ${linesOf(living).length}, ${sum.lost} lost`)
  living.destroy()
})

/** Takes so many megabytes that no kernel keeps them. */
const LINE_BYTES = 4000
const MANY = 3000

part('a worker that does not read gets what its connection takes, and another one the rest', async (t) => {
  const gateway = await startGateway(t)
  const frozen = await hires(gateway, '&lines', { frozen: true })
  let most = 0
  const answer = pours(gateway, numbers(MANY, 'job', LINE_BYTES))
  const watch = setInterval(() => {
    most = Math.max(most, gateway.gateway.slabs.heldBytes)
  }, 5)
  const working: RawClient[] = [await hires(gateway)]
  const got = () => linesOf(working[0]!).length
  const hasHalf = () => working[0]!.receivedBytes > (MANY / 2) * LINE_BYTES
  await eventually(() => hasHalf() || 'it has less than half', { timeoutMs: 60_000 })
  const isQuiet = () => {
    const { running = 0, senders = 0 } = countsOf(gateway) ?? {}
    return senders === 0 && running > 0
  }
  await eventually(() => isQuiet() || JSON.stringify(countsOf(gateway)), { timeoutMs: 60_000 })
  clearInterval(watch)
  t.ok(most < 4 * MIB, `at most ${most} bytes were held`)
  frozen.reset()
  const sum = told(await answer)
  t.equal(sum.delivered + sum.lost, MANY)
  t.ok(got() <= sum.delivered)
  t.ok(got() > MANY / 2, `${got()} went to the one that reads`)
  t.equal(new Set(linesOf(working[0]!)).size, got(), 'each once')
  t.comment(
    `${got()} jobs to the worker that reads, ${sum.delivered - got()} to the frozen one's kernel, ${sum.lost} lost`,
  )
  working[0]!.destroy()
})

part('a frozen worker is cut by stall, and what has not arrived goes to another one', async (t) => {
  const gateway = await startGateway(t)
  const frozen = await hires(gateway, '&lines', { frozen: true })
  const answer = pours(gateway, numbers(MANY, 'job', LINE_BYTES), '&stall=1')
  await eventually(() => gateway.lines.some(({ reason }) => reason === 'receivers_stalled') || 'not yet', {
    timeoutMs: 30_000,
  })
  await eventually(() => countsOf(gateway)?.workers === 0 || 'it is still there')
  const living = await hires(gateway)
  const sum = told(await answer)
  t.equal(sum.delivered + sum.lost, MANY)
  t.ok(sum.lost > 0, 'it had a part of one at least')
  const rest = linesOf(living)
  frozen.resume()
  await frozen.waitForClose()
  const all = [...linesOf(frozen), ...rest]
  t.equal(new Set(all).size, all.length, 'nothing arrives later')
  t.comment(`${sum.lost} lost, ${rest.length} to the other one${speaksTls() ? ', over TLS' : ''}`)
  living.destroy()
})
