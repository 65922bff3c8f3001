/** How it ends: for one, and for all. */
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { bodyOf, countsAre, countsOf, flood, part, post, published, subscribed } from './rig.js'

part('a subscriber that leaves harms nobody, and with the last one the name is free', async (t) => {
  const gateway = await startGateway(t)
  const [one, two] = [await subscribed(gateway, 'a', 1), await subscribed(gateway, 'a', 2)]
  one.reset()
  await countsAre(gateway, 'a', { subscribers: 1 })
  t.equal((await published(gateway, 'a?topic', 'x')).body.toString(), '[INFO] Delivered to 1 subscriber(s).\n')
  two.destroy()
  t.equal(await gateway.ended('a'), 'complete')
  t.match(
    gateway.lines.find(({ msg }) => msg === 'transfer'),
    { pipe: 'a', kind: 'topic', receivers: 2, messages: 1, cuts: 0, bytesIn: 1 },
  )
  const pipe = await gateway.connect()
  await pipe.send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(1, 0)
  pipe.destroy()
})

part('an orderly stop: what was accepted arrives, a clean end, and those who wait are told', async (t) => {
  const gateway = await startGateway(t)
  const plain = await subscribed(gateway, 'a', 1)
  const events = await subscribed(gateway, 'a', 2, { accept: 'text/event-stream' })
  const parts = await subscribed(gateway, 'a', 3, { accept: 'multipart/mixed' })
  const waiting = await gateway.connect()
  await waiting.send(post('b?topic&min=1', 'x'))
  await countsAre(gateway, 'b', { waiting: 1 })
  await published(gateway, 'a?topic', 'last words')
  await gateway.gateway.stop(5000)
  for (const client of [plain, events, parts]) {
    const { complete } = await client.waitForResponse()
    t.ok(complete, 'a clean end')
    t.match(bodyOf(client), 'last words')
  }
  t.match(bodyOf(parts), /last words\r\n--([\w-]+)\r\n\r\n--\1--\r\n$/)
  const { status, body } = await waiting.waitForResponse()
  t.match([status, body.toString()], [503, '[ERROR] Server shutting down.\n'])
  t.equal(await gateway.ended('a'), 'shutting_down')
})

part('a stop that waits for nothing: a subscriber that has everything gets a clean end all the same', async (t) => {
  const gateway = await startGateway(t)
  const plain = await subscribed(gateway, 'a', 1)
  await published(gateway, 'a?topic', 'last words')
  await plain.waitFor('last words')
  // Timers that are due come before the end of the turn: the drain is over before anything has been sent.
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      gateway.gateway.stop(0).then(resolve)
      const due = performance.now() + 5
      while (performance.now() < due);
    })
  })
  t.ok((await plain.waitForResponse()).complete)
  t.equal(await gateway.ended('a'), 'shutting_down')
})

part('a stop does not wait for who does not read', async (t) => {
  const gateway = await startGateway(t)
  const deaf = await subscribed(gateway, 'a', 1, { frozen: true })
  flood(gateway, 'a?topic')
  await eventually(() => (countsOf(gateway, 'a')?.waiting ?? 0) > 0 || JSON.stringify(countsOf(gateway, 'a')), {
    timeoutMs: 30_000,
  })
  await gateway.gateway.stop(200)
  deaf.resume()
  await deaf.waitForClose()
  t.notOk(parseResponse(deaf.received).complete)
  t.equal(await gateway.ended('a'), 'shutting_down')
  await eventually(() => countsOf(gateway, 'a') === undefined || 'it is still there')
})
