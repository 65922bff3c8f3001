/**
 * Topics over real sockets, whose publishers and subscribers come and go at random, freeze, die, and never read. Whatever they do: all
 * have one order; nobody has a part of a message as a whole one; who reads what comes has everything from its coming on; what a
 * publisher was told is true; and nothing is left behind.
 *
 * `PIPEGATE_SEED=<seed> node dist/test/chaos/topic.test.js` begins with that seed; `PIPEGATE_CHAOS_SECONDS` says for how long.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Random } from '../model/random.js'
import { type Running, startGateway } from '../support/gateway.js'
import { amount } from '../support/thorough.js'
import { Diary } from './participant.js'
import { ROUNDS } from './rounds.js'
import { TopicPublisher } from './topic-publisher.js'
import { TopicSubscriber } from './topic-subscriber.js'
import { keepsNothing, openSockets, untilOr } from './watch.js'

const SECONDS = Number(process.env.PIPEGATE_CHAOS_SECONDS ?? amount(4, 80))
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 2
const LONGEST_MS = 30_000

interface Report {
  readonly problems: string[]
  readonly diary: Diary
  readonly messages: number
  readonly subscribers: number
  readonly cut: number
}

/** One topic with all its sides. Resolves with every rule that was broken. */
async function runTopic(seed: number, { port, tls }: Running): Promise<Report> {
  const random = new Random(seed)
  const diary = new Diary()
  const door = { port, tls }
  const path = `/topic-${seed}`
  const problems: string[] = []
  const until = untilOr(problems, LONGEST_MS)
  const slow = random.pick(['&slow=cut', '&slow=hold', ''])!
  const isFlood = random.chance(40)
  // It is there all the time, so that it has all messages in their order.
  const witness = new TopicSubscriber(0, path, random, diary, door, true)
  await witness.run()
  await until(() => witness.status === 200, 'nobody can subscribe')
  const subscribers = [witness]
  const publishers = Array.from({ length: random.between(1, 4) }, (_, i) => {
    return new TopicPublisher(i + 1, path, slow, random, diary, door, isFlood)
  })
  let isOver = false
  const coming = (async () => {
    while (!isOver) {
      if (subscribers.length < 30 && random.chance(50)) {
        const subscriber = new TopicSubscriber(subscribers.length, path, random, diary, door)
        subscribers.push(subscriber)
        await subscriber.run()
      }
      await sleep(random.below(30))
    }
  })()
  await Promise.all(publishers.map((each) => each.run(until)))
  isOver = true
  await coming
  // Behind all that was published, as far as anybody can tell: who reads has all of it now.
  const last = new TopicPublisher(9, path, '&slow=hold', new Random(0), diary, door, false)
  for (const each of subscribers) each.thaw()
  await last.run(until)
  const end = [...last.fates].findLast(([, fate]) => fate === 'delivered')?.[0]
  const reads = () => subscribers.filter((each) => !each.hasEnded && each.trouble !== 'leave')
  await until(() => end !== undefined && reads().every(({ names }) => names.includes(end)), 'somebody misses the end')
  for (const each of subscribers) for (const fault of faultsOf(each, witness)) problems.push(`${each.who}: ${fault}`)
  for (const each of [...publishers, last])
    for (const fault of liesTo(each, witness)) problems.push(`publisher ${each.index}: ${fault}`)
  const cut = subscribers.filter((each) => each.isOver && !each.hasLeft).length
  for (const each of subscribers) each.close()
  // One that had closed its sending side goes in silence: only what is sent to it finds that out.
  await new TopicPublisher(10, path, '&slow=hold', new Random(0), diary, door, false).run(until)
  return { problems, diary, messages: witness.names.length, subscribers: subscribers.length, cut }
}

function* faultsOf(subscriber: TopicSubscriber, witness: TopicSubscriber) {
  const { fault, reader, hasLeft, names, isWhole, status, isGood, isOver } = subscriber
  if (fault !== undefined) yield fault
  if (reader.problem !== undefined && !hasLeft) yield reader.problem
  if (isWhole && status === 200) yield 'a clean end, and the topic goes on'
  // By what it has read a slow one is told from one that is not: the machine of this one had room all the time.
  if (isGood && isOver && !hasLeft) yield `reads all that comes, and was cut with status ${status}`
  const [first] = names
  if (first === undefined) return
  const at = witness.names.indexOf(first)
  const same = witness.names.slice(at, at + names.length)
  const differs = names.findIndex((name, i) => name !== same[i])
  if (at < 0 || differs >= 0) yield `another order: ${names[differs]} where ${same[differs]} is`
}

function* liesTo({ fates, fault }: TopicPublisher, { names }: TopicSubscriber) {
  if (fault !== undefined) yield fault
  const got = new Map<string, number>()
  for (const name of names) got.set(name, (got.get(name) ?? 0) + 1)
  for (const [name, fate] of fates) {
    const times = got.get(name) ?? 0
    if (times > 1) yield `${name} came ${times} times`
    if (fate === 'delivered' && times === 0) yield `${name} is delivered, and did not come`
    if (fate === 'nobody' && times > 0) yield `${name} came, and nobody was to get it`
  }
  const order = names.filter((name) => fates.has(name)).map((name) => Number(name.split('.')[1]))
  if (order.some((n, i) => i > 0 && n < order[i - 1]!)) yield 'its messages are in another order than it sent them'
}

t.setTimeout((SECONDS + 200) * 1000)
for (const round of ROUNDS) {
  t.test(`publishers and subscribers come and go, ${round.name}`, { timeout: (SECONDS + 150) * 1000 }, async (t) => {
    const running = await startGateway(t, { window: String(256 * 1024) }, { tls: round.tls })
    const sockets = openSockets()
    const total = { topics: 0, messages: 0, subscribers: 0, cut: 0 }
    let next = FIRST
    let failures = 0
    const until = performance.now() + SECONDS * 1000 * round.share
    const work = async () => {
      while (performance.now() < until && failures < 5) {
        const seed = next++
        const { problems, diary, messages, subscribers, cut } = await runTopic(seed, running)
        total.topics++
        total.messages += messages
        total.subscribers += subscribers
        total.cut += cut
        if (problems.length === 0) continue
        failures++
        t.comment(`seed ${seed}:\n${diary.lines.join('\n')}`)
        t.fail(`seed ${seed}: ${problems.join('; ')}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    t.comment(`seeds ${FIRST} to ${next - 1}: ${JSON.stringify(total)}`)
    t.equal(failures, 0, 'every topic went as it must')
    t.ok(total.messages > 10 * total.topics && total.subscribers > total.topics, 'there was something to get')
    await t.resolves(keepsNothing(running, sockets))
    t.equal(running.gateway.table.topics.size, 0)
  })
}
