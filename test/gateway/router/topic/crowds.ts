/** Many publishers, and subscribers that come and go, who all see one order; and how many there may be. */
import { Random } from '../../../model/random.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, speaksTls, startGateway } from '../../../support/gateway.js'
import { parseResponse, type RawClient } from '../../../support/raw.js'
import { bodyOf, countsAre, countsOf, MIB, part, plainPart, post, published, subscribed } from './rig.js'

const PUBLISHERS = 8
const SUBSCRIBERS = 64
/** By hand more of them: `PIPEGATE_TOPIC_MESSAGES=5000`. */
const MESSAGES = Number(process.env.PIPEGATE_TOPIC_MESSAGES ?? (speaksTls() ? 60 : 250))

async function pour(gateway: Running, publisher: number): Promise<void> {
  const client = await gateway.connect()
  for (let i = 0; i < MESSAGES; i++) {
    await client.send(post('a?topic', `${publisher}:${i}`))
    const answers = () => client.text.match(/Delivered to \d+ subscriber/g)?.length ?? 0
    await eventually(() => answers() === i + 1 || `${answers()} answers of ${i + 1}`, { everyMs: 1 })
  }
  client.destroy()
}

/** They come and go until the publishers are done; each is looked at when it goes. */
async function comeAndGo(gateway: Running, random: Random, isOver: () => boolean, seen: string[][]): Promise<void> {
  while (!isOver()) {
    const client = await gateway.connect()
    await client.send('GET /a?topic HTTP/1.1\r\nHost: x\r\n\r\n')
    const least = random.below(2000)
    await eventually(() => client.receivedBytes > least || isOver() || 'nothing yet', { timeoutMs: 60_000, everyMs: 5 })
    seen.push(messagesOf(client))
    if (random.chance(50)) client.reset()
    else client.destroy()
  }
}

/** Whole ones only. */
function messagesOf(client: RawClient): string[] {
  return bodyOf(client).split('\n').slice(0, -1)
}

part(
  `${PUBLISHERS} publishers and ${SUBSCRIBERS} subscribers that come and go: everybody sees the same order`,
  async (t) => {
    const gateway = await startGateway(t)
    const stays = await subscribed(gateway, 'a', 1)
    let isOver = false
    const seen: string[][] = []
    const crowd = Array.from({ length: SUBSCRIBERS }, (_, i) =>
      comeAndGo(gateway, new Random(i + 1), () => isOver, seen),
    )
    await countsAre(gateway, 'a', { subscribers: SUBSCRIBERS + 1 })
    await Promise.all(Array.from({ length: PUBLISHERS }, (_, i) => pour(gateway, i)))
    await eventually(() => messagesOf(stays).length === PUBLISHERS * MESSAGES || `${messagesOf(stays).length} messages`)
    isOver = true
    await Promise.all(crowd)
    const order = messagesOf(stays)
    t.equal(new Set(order).size, PUBLISHERS * MESSAGES, 'each message once')
    for (let i = 0; i < PUBLISHERS; i++) {
      const own = order.filter((message) => message.startsWith(`${i}:`))
      t.same(
        own,
        Array.from({ length: MESSAGES }, (_, n) => `${i}:${n}`),
        'in the order of their publisher',
      )
    }
    const places = new Map(order.map((message, at) => [message, at]))
    let compared = 0
    for (const messages of seen) {
      const first = places.get(messages[0] ?? '')
      if (first === undefined) continue
      compared += messages.length
      if (messages.join() !== order.slice(first, first + messages.length).join())
        t.fail('another order, or one is missing')
    }
    t.ok(seen.length >= SUBSCRIBERS && compared > MESSAGES, `${seen.length} subscribers compared ${compared} messages`)
    stays.destroy()
    // Who asks and goes within a millisecond may be one that has only closed its own side, and is found out by what it is sent next.
    await published(gateway, 'a?topic', 'the end')
    t.equal(await gateway.ended('a'), 'complete')
  },
)

part('the places of a topic: the next one reads 429, and gets one when somebody leaves', async (t) => {
  const gateway = await startGateway(t, { maxSubscribers: '2' })
  const [one, two] = [await subscribed(gateway, 'a', 1), await subscribed(gateway, 'a', 2)]
  const refused = await gateway.connect()
  await refused.send('GET /a?topic HTTP/1.1\r\nHost: x\r\n\r\n')
  const { status, headers, body } = await refused.waitForResponse()
  t.match([status, headers['x-pipe-code']], [429, ['SUBSCRIBERS_FULL']])
  t.match(body.toString(), /All 2 places for subscribers of this topic are taken\. Try again when somebody has left\./)
  one.destroy()
  await countsAre(gateway, 'a', { subscribers: 1 })
  const three = await subscribed(gateway, 'a', 2)
  for (const client of [two, three, refused]) client.destroy()
})

/** By hand `PIPEGATE_TOPIC_CROWD=4096`, with as many descriptors twice over. */
const CROWD = Number(process.env.PIPEGATE_TOPIC_CROWD ?? 64)

plainPart(`${CROWD} subscribers of which half are deaf: what they are behind is kept once`, async (t) => {
  const gateway = await startGateway(t)
  const clients: RawClient[] = []
  for (let i = 0; i < CROWD; i++) {
    const client = await gateway.connect({ pauseOnConnect: i % 2 === 1, keep: false })
    await client.send('GET /a?topic HTTP/1.1\r\nHost: x\r\n\r\n')
    clients.push(client)
  }
  await countsAre(gateway, 'a', { subscribers: CROWD })
  const message = Buffer.alloc(256 * 1024, 'x')
  let most = 0
  const publisher = await gateway.connect()
  const readers = clients.filter((_, i) => i % 2 === 0)
  const counts = () => {
    most = Math.max(most, gateway.gateway.slabs.heldBytes)
    return countsOf(gateway, 'a')!
  }
  const haveRead = () => {
    const bytes = counts().messages * message.length
    return readers.every(({ receivedBytes }) => receivedBytes > bytes)
  }
  for (let i = 0; i < 200 && counts().waiting === 0; i++) {
    await publisher.send(post('a?topic', message))
    // One that waits although all who read have read everything waits for the deaf.
    const isDecided = () => counts().messages === i + 1 || (counts().waiting === 1 && haveRead())
    await eventually(() => isDecided() || JSON.stringify(counts()), { timeoutMs: 60_000 })
  }
  await eventually(() => haveRead() || 'some have not read all', { timeoutMs: 60_000 })
  t.equal(counts().waiting, 1)
  t.ok(most < 3 * MIB, `at most ${most} bytes were held`)
  const cutting = await published(gateway, 'a?topic&slow=cut', 'for those who read')
  t.match(cutting.body.toString(), `Delivered to ${CROWD / 2} subscriber(s).`)
  await countsAre(gateway, 'a', { cuts: CROWD / 2, waiting: 0 })
  for (const client of [...clients, publisher]) client.destroy()
  t.equal(await gateway.ended('a'), 'complete')
  t.equal(parseResponse(publisher.received).status, 200)
})
