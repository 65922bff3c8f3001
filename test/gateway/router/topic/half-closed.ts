/** Subscribers that close their side and read on, and those that are gone, of which the gateway sees the same: an end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { bodyOf, countsAre, countsOf, part, published, subscribed } from './rig.js'

const FORMATS = ['text/plain', 'text/event-stream', 'multipart/mixed'] as const
type Format = (typeof FORMATS)[number]

/** More than the time between two questions, and much less than what the kernel takes. */
const SOON = { timeoutMs: 20_000 }

const request = (accept: Format) => `GET /a?topic HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`

/** It says all that it has to say at once. */
async function closesWithRequest(gateway: Running, accept: Format): Promise<RawClient> {
  const client = await gateway.connect()
  void client.send(request(accept))
  client.halfClose()
  return client
}

/** It has seen the head of its response. */
async function closesLater(gateway: Running, accept: Format): Promise<RawClient> {
  const client = await gateway.connect()
  await client.send(request(accept))
  await client.waitFor('\r\n\r\n')
  await sleep(50)
  client.halfClose()
  return client
}

const INTERIM = 'HTTP/1.1 102 Processing\r\n\r\n'

/** Where its response begins, behind what it is asked before that. */
function startOf({ text }: RawClient): number {
  let from = 0
  while (text.startsWith(INTERIM, from)) from += INTERIM.length
  return from
}

/** It has been asked so many times whether it is there, which it need not notice. */
function isAsked(client: RawClient, times: number): Promise<void> {
  const { receivedBytes: before } = client
  return eventually(
    () => client.receivedBytes >= before + times || `asked by ${JSON.stringify(client.text.slice(-20))}`,
    SOON,
  )
}

part('a subscriber that closes its side gets all that is published from then on, and a clean end', async (t) => {
  const gateway = await startGateway(t)
  const whole: RawClient[] = []
  for (const accept of FORMATS) whole.push(await subscribed(gateway, 'a', whole.length + 1, { accept }))
  const closed: { client: RawClient; like: RawClient; way: string }[] = []
  for (const way of [closesWithRequest, closesLater]) {
    for (const [i, accept] of FORMATS.entries()) {
      closed.push({ client: await way(gateway, accept), like: whole[i]!, way: `${way.name}, ${accept}` })
    }
  }
  await countsAre(gateway, 'a', { subscribers: 9 })
  const later = closed.filter(({ way }) => way.startsWith(closesLater.name))
  for (const { client } of later) await isAsked(client, 1)
  await published(gateway, 'a?topic', 'a message')
  for (const { client } of closed) await client.waitFor('a message')
  await Promise.all(closed.map(({ client }) => isAsked(client, 3)))
  const large = Buffer.alloc(300_000, 'large')
  for (const message of [large, 'x', large]) {
    t.match((await published(gateway, 'a?topic', message)).body.toString(), 'Delivered to 9 ')
  }
  await gateway.gateway.stop(10_000)
  for (const { client, like, way } of closed) {
    const { body, complete } = await client.waitForResponse({ from: startOf(client) })
    t.ok(complete, way)
    t.equal(body.toString('latin1'), bodyOf(like), way)
    t.ok(body.length > 600_000)
  }
})

part('one to which nothing is ever published has a clean end, too', async (t) => {
  const gateway = await startGateway(t)
  const client = await closesLater(gateway, 'text/plain')
  await isAsked(client, 2)
  await gateway.gateway.stop(5000)
  const { complete, body } = await client.waitForResponse()
  t.match([complete, body.length], [true, 0])
})

part('a subscriber that asks and goes at once frees its place, although nothing is published', async (t) => {
  const gateway = await startGateway(t)
  for (let i = 0; i < 60; i++) {
    const client = await gateway.connect()
    const sent = client.send(request(FORMATS[i % 3]!))
    // Before its request has been read, in the same turn, and in one after the other.
    if (i % 4 === 0) await sent
    else if (i % 4 > 1) for (const until = performance.now() + (i % 20) / 10; performance.now() < until; );
    if (i % 4 === 3) await new Promise(setImmediate)
    client.destroy()
  }
  await eventually(() => countsOf(gateway, 'a') === undefined || JSON.stringify(countsOf(gateway, 'a')), SOON)
  t.pass()
})

part('one that closes its side, reads on, and goes later frees its place', async (t) => {
  const gateway = await startGateway(t)
  for (const way of [closesWithRequest, closesLater]) {
    const clients = await Promise.all(FORMATS.map((accept) => way(gateway, accept)))
    await countsAre(gateway, 'a', { subscribers: FORMATS.length })
    // In the middle of messages, and where none is.
    await published(gateway, 'a?topic', 'a message')
    for (const client of clients) await client.waitFor('a message')
    for (const client of clients) client.destroy()
    await eventually(() => countsOf(gateway, 'a') === undefined || JSON.stringify(countsOf(gateway, 'a')), SOON)
  }
  t.pass()
})
