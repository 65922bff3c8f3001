/** Many publishers, and subscribers that come and go, who all see one order; and how many there may be. */
import { Random } from '../../../model/random.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, speaksTls, startGateway } from '../../../support/gateway.js'
import { connectPeer, type Peer } from '../../../support/peer.js'
import type { RawClient } from '../../../support/raw.js'
import { ResponseReader } from '../../../support/response-reader.js'
import { differsAt, bodyOf as tapeOf } from '../../../support/tape.js'
import { bodyOf, countsAre, countsOf, KIB, MIB, part, post, subscribed } from './rig.js'

const LINE_BREAK = Buffer.from('\n')
const SUBSCRIBE = 'GET /a?topic HTTP/1.1\r\nHost: x\r\n\r\n'

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
const READERS = CROWD / 2
/** More than any kernel takes for somebody who does not read. */
const MOST_MESSAGES = 60
const MESSAGE = 256 * KIB
const SOON = { timeoutMs: 60_000 }

/** What everybody who reads has to get: no two messages are the same, and each ends with its line break. */
const streamOf = () =>
  Buffer.concat(Array.from({ length: MOST_MESSAGES }, (_, i) => [tapeOf(i + 1, MESSAGE - 1), LINE_BREAK]).flat())

/** Somebody who reads, and what is wrong with what has come. */
async function reader(
  gateway: Running,
  stream: Buffer,
): Promise<{ peer: Peer; answer: ResponseReader; wrongAt: () => number | undefined }> {
  let wrongAt: number | undefined
  const answer = new ResponseReader((bytes, offset) => {
    wrongAt ??= differsAt(stream, bytes, offset)
  })
  const peer = await connectPeer({ port: gateway.port, tls: speaksTls(), onBytes: (bytes) => answer.push(bytes) })
  await peer.send(SUBSCRIBE)
  return { peer, answer, wrongAt: () => wrongAt }
}

part(`${CROWD} subscribers of which half are deaf: what they are behind is kept once`, async (t) => {
  const gateway = await startGateway(t)
  const stream = streamOf()
  const readers: Awaited<ReturnType<typeof reader>>[] = []
  const deaf: RawClient[] = []
  for (let i = 0; i < READERS; i++) {
    readers.push(await reader(gateway, stream))
    const client = await gateway.connect({ pauseOnConnect: true, keep: false })
    await client.send(SUBSCRIBE)
    deaf.push(client)
  }
  await countsAre(gateway, 'a', { subscribers: CROWD })
  let most = 0
  const counts = () => {
    most = Math.max(most, gateway.gateway.slabs.heldBytes)
    return countsOf(gateway, 'a')!
  }
  const haveRead = () => {
    const bytes = counts().messages * MESSAGE
    return readers.every(({ answer }) => answer.bodyBytes === bytes)
  }
  /** What is still untrue, and of whom. */
  const progress = () => {
    const bytes = counts().messages * MESSAGE
    const behind = readers.filter(({ answer }) => answer.bodyBytes !== bytes)
    const stories = behind.slice(0, 5).map(({ answer, peer }) => {
      return { bytes: answer.bodyBytes, problem: answer.problem, isClosed: peer.isClosed, errorCode: peer.errorCode }
    })
    return JSON.stringify({ ...counts(), sent, behind: behind.length, stories })
  }
  const publisher = await gateway.connect()
  let sent = 0
  const publish = (client: RawClient, query = '') =>
    client.send(post(`a?topic${query}`, stream.subarray(sent * MESSAGE, ++sent * MESSAGE)))
  while (sent < MOST_MESSAGES && counts().waiting === 0) {
    await publish(publisher)
    // One that waits although all who read have read everything waits for the deaf.
    const isDecided = () => haveRead() && counts().messages + counts().waiting === sent
    await eventually(() => isDecided() || progress(), SOON)
  }
  t.equal(counts().waiting, 1, 'it waits for the deaf')
  t.equal(counts().cuts, 0)
  const cutting = await gateway.connect()
  // A kernel with that many connections takes more for some of them than for others, so not all are behind at once.
  while (sent < MOST_MESSAGES && counts().cuts < READERS) {
    await publish(cutting, '&slow=cut')
    await eventually(() => (counts().messages === sent && haveRead()) || progress(), SOON)
  }
  t.match(counts(), { cuts: READERS, subscribers: READERS, waiting: 0 }, `after ${sent} messages`)
  t.ok(most < 3 * MIB, `at most ${most} bytes were held`)
  t.same(readers.filter(({ wrongAt }) => wrongAt() !== undefined).length, 0, 'every byte, in its order')
  for (const client of [...deaf, publisher, cutting]) client.destroy()
  for (const { peer } of readers) peer.leave('destroy')
  t.equal(await gateway.ended('a'), 'complete')
})
