/**
 * Nothing is kept of a transfer that is over. After very many of each kind, and a full collection of garbage, there are as many objects of
 * each of our classes as before them. What is kept costs memory in the end, and time at once: each collection copies it.
 */
import t from 'tap'
import { amount } from '../support/thorough.js'
import { Caller } from './caller.js'
import type { Counts } from './counted-gateway.js'
import { CountedGateway } from './counted-gateway-process.js'
import { runMany, TRANSFERS } from './short-transfers.js'

const COUNT = amount(120, 2000)
/** What a list or a cache may have grown by. One object for each transfer is far more. */
const FEW = 20
/** What is kept on purpose, and bounded. */
const BOUNDED = ['RetainedTransfer']

/** The classes of which there are more than before, and how many more. */
function grown(before: Counts, after: Counts): Record<string, number> {
  const more = Object.entries(after).map(([name, count]) => [name, count - before[name]!] as const)
  return Object.fromEntries(more.filter(([name, count]) => count > FEW && !BOUNDED.includes(name)))
}

t.test('nothing is kept of a transfer', async (t) => {
  t.setTimeout(290_000)
  const gateway = await CountedGateway.start(t)
  for (const [kind, transfer] of Object.entries(TRANSFERS)) {
    // What is made once.
    await runMany(gateway.port, transfer, 20, `warm-${kind.replaceAll(' ', '-')}`)
    const before = await gateway.count()
    t.ok(before.PipeTable === 1 && before.HttpExchange! < FEW, 'it is our classes that are counted')
    await runMany(gateway.port, transfer, COUNT, kind.replaceAll(' ', '-'))
    t.same(grown(before, await gateway.count()), {}, `${COUNT} ${kind}`)
  }
})

t.test('nothing is kept for a worker that answers and takes the next question in one request', async (t) => {
  const gateway = await CountedGateway.start(t)
  const [asker, worker] = [await Caller.open(gateway.port), await Caller.open(gateway.port)]
  let question = worker.ask('GET /q?serve')
  const askMany = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const answer = asker.ask('POST /q?ask', { body: `question ${i}` })
      const { text, field } = await question
      t.equal(text, `question ${i}`)
      const { search } = new URL(field('x-pipe-answer'))
      question = worker.ask(`POST /q?serve&${search.slice(1)}`, { body: `answer ${i}` })
      t.equal((await answer).text, `answer ${i}`)
    }
    return gateway.count((open) => open <= 2)
  }
  const before = await askMany(20)
  t.same(grown(before, await askMany(COUNT)), {}, `${COUNT} questions`)
  for (const each of [asker, worker]) each.leave()
})

t.test('what a Map keeps is found', async (t) => {
  const gateway = await CountedGateway.start(t, 'keeping')
  const [[kind, transfer]] = Object.entries(TRANSFERS) as [[string, (typeof TRANSFERS)[string]]]
  await runMany(gateway.port, transfer, 20, 'warm')
  const before = await gateway.count()
  await runMany(gateway.port, transfer, 100, 'kept')
  const more = grown(before, await gateway.count())
  t.ok((more.Pipe ?? 0) >= 100, `${kind}: ${JSON.stringify(more)}`)
})
