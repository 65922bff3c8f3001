/**
 * What is over dies young. V8 collects its young generation at little cost as long as nearly all in it is dead; what survives twice grows
 * old, and whatever an old object that is dead refers to grows old with it. One reference from each transfer to the one behind it is
 * enough: then all of them do (core/clock.ts).
 */
import t from 'tap'
import { amount } from '../support/thorough.js'
import { Caller } from './caller.js'
import { CountedGateway } from './counted-gateway-process.js'

const COUNT = amount(3000, 20_000)
/** All on one name, so that some always wait. */
const SENDERS = 8
const RECEIVERS = 3
/** Of one that is over, at most, in bytes: a receipt, and a share of those that live. A transfer with all that belongs to it has 9000. */
const MOST = 3000

/** One after the other until all are done. */
type Side = (caller: Caller, isDue: () => boolean) => Promise<void>

const LOADS: Readonly<Record<string, readonly Side[]>> = {
  'jobs of a queue': [
    async (producer, isDue) => {
      while (isDue()) await producer.ask('PUT /q?queue', { body: 'hello' })
    },
    async (worker) => {
      while ((await worker.ask('GET /q?queue')).isWhole);
    },
  ],
  'questions and answers': [
    async (asker, isDue) => {
      while (isDue()) await asker.ask('POST /a?ask', { body: 'question' })
    },
    async (worker) => {
      let question = await worker.ask('GET /a?serve')
      while (question.isWhole) {
        const { search } = new URL(question.field('x-pipe-answer'))
        question = await worker.ask(`POST /a?serve&${search.slice(1)}`, { body: 'answer' })
      }
    },
  ],
}

t.test('little of what is over grows old', { timeout: 120_000 }, async (t) => {
  for (const [name, [send, receive]] of Object.entries(LOADS)) {
    const gateway = await CountedGateway.start(t)
    const callers: Caller[] = []
    const open = async () => {
      const caller = await Caller.open(gateway.port)
      callers.push(caller)
      return caller
    }
    for (let i = 0; i < RECEIVERS; i++) void receive!(await open(), () => true)
    const run = async (count: number) => {
      let left = count
      const senders = await Promise.all(Array.from({ length: SENDERS }, open))
      await Promise.all(senders.map((caller) => send!(caller, () => left-- > 0)))
    }
    await run(COUNT / 3)
    await gateway.promoted()
    await run(COUNT)
    const each = (await gateway.promoted()) / COUNT
    t.ok(each < MOST, `${Math.round(each)} bytes of each of ${COUNT} ${name}`)
    for (const caller of callers) caller.leave()
  }
})
