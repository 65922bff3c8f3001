/** One message after the other: who gets it, and what the publisher is told. */
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { bodyOf, countsAre, countsOf, hasBody, MIB, part, post, published, subscribed, textOf } from './rig.js'

part('curl publishes, and who is subscribed reads it', async (t) => {
  const gateway = await startGateway(t)
  const nobody = await curlDone(['-d', 'unheard', `${gateway.origin}/news?topic`])
  t.equal(nobody.stdout.toString(), '[INFO] Delivered to 0 subscriber(s).\n')
  t.equal(gateway.gateway.table.get('news'), undefined)
  const readers = [1, 2].map(() => curl(['-N', `${gateway.origin}/news?topic`]))
  await countsAre(gateway, 'news', { subscribers: 2 })
  const run = await curlDone(['-w', '%{http_code} %{content_type}', '-d', 'hello', `${gateway.origin}/news?topic`])
  t.equal(run.stdout.toString(), '[INFO] Delivered to 2 subscriber(s).\n200 text/plain; charset=utf-8')
  await curlDone(['-T', '-', `${gateway.origin}/api/v1/pipe/news?topic`], { input: 'with a break\n' })
  for (const reader of readers) await reader.waitFor('hello\nwith a break\n')
  for (const reader of readers) reader.kill()
  t.equal(await gateway.ended('news'), 'complete')
})

part('a subscriber has its head, and the message whole, whatever the message is', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  const bytes = Buffer.alloc(MIB, 'x')
  for (const body of ['', 'one', 'two\n', bytes]) {
    t.equal(textOf(await published(gateway, 'a?topic', body)), '[INFO] Delivered to 1 subscriber(s).\n')
  }
  await hasBody(client, `\none\ntwo\n${bytes}\n`)
  const { status, headers, complete } = parseResponse(client.received)
  t.match([status, complete], [200, false])
  t.match(headers, {
    'content-type': ['text/plain; charset=utf-8'],
    'cache-control': ['no-store'],
    'x-accel-buffering': ['no'],
    'x-pipe-transfer-id': [/^[\w-]{16,64}$/],
  })
  client.destroy()
})

part('a message may come in chunks, and one that is cut off is none', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  const head = 'PUT /a?topic HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
  const publisher = await gateway.connect()
  await publisher.send(`${head}3\r\none\r\n`)
  const broken = await gateway.connect()
  await broken.send(`${head}6\r\nbroken\r\n`)
  const short = await gateway.connect()
  await short.send('PUT /a?topic HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort')
  await eventually(() => gateway.gateway.slabs.heldBytes === 14 || `${gateway.gateway.slabs.heldBytes} bytes are held`)
  for (const each of [broken, short]) each.reset()
  await eventually(() => gateway.gateway.slabs.heldBytes === 3 || `${gateway.gateway.slabs.heldBytes} bytes are held`)
  await publisher.send('4\r\n two\r\n0\r\n\r\n')
  t.equal(textOf(await publisher.waitForResponse()), '[INFO] Delivered to 1 subscriber(s).\n')
  await hasBody(client, 'one two\n')
  t.equal(countsOf(gateway, 'a')?.messages, 1)
  for (const each of [client, publisher]) each.destroy()
})

part('more than 1 MiB is 413 at once, and in the middle of what has no length; nobody gets any of it', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  const long = await gateway.connect()
  await long.send(`POST /a?topic HTTP/1.1\r\nHost: x\r\nContent-Length: ${MIB + 1}\r\n\r\n`)
  const refused = await long.waitForResponse()
  t.match([refused.status, refused.headers['x-pipe-code']], [413, ['TOO_LARGE']])
  t.equal(textOf(refused), `[ERROR] This body has ${MIB + 1} bytes, and may have ${MIB}. Send less at once.\n`)
  const endless = await curlDone(['-w', '%{http_code}', '-T', '-', `${gateway.origin}/a?topic`], {
    input: Buffer.alloc(3 * MIB, 'x'),
  })
  t.match(endless.stdout.toString(), /^\[ERROR\] This body has \d+ bytes, and may have 1048576\. .*\n413$/)
  await published(gateway, 'a?topic', 'next')
  await hasBody(client, 'next\n')
  client.destroy()
})

part('one connection publishes many times, and each answer has its message in order', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  const publisher = await gateway.connect()
  const bodies = Array.from({ length: 300 }, (_, i) => `message ${i}`)
  await publisher.send(Buffer.concat(bodies.map((body) => post('a?topic', body))))
  const answers = () => publisher.text.match(/Delivered to 1 subscriber/g)?.length ?? 0
  await eventually(() => answers() === 300 || `${answers()} answers`)
  await hasBody(client, bodies.map((body) => `${body}\n`).join(''))
  for (const each of [client, publisher]) each.destroy()
})

part('min: a publisher waits for subscribers, reads 408 when they do not come, and nothing when it goes', async (t) => {
  const gateway = await startGateway(t)
  const waiting = await gateway.connect()
  await waiting.send(post('a?topic&min=2', 'for two'))
  await countsAre(gateway, 'a', { waiting: 1 })
  const gone = await gateway.connect()
  await gone.send(post('a?topic&min=1', 'never'))
  await countsAre(gateway, 'a', { waiting: 2 })
  gone.reset()
  await countsAre(gateway, 'a', { waiting: 1 })
  const one = await subscribed(gateway, 'a', 1)
  const late = await published(gateway, 'a?topic&min=2&wait=1', 'late')
  t.same([late.status, textOf(late)], [408, '[ERROR] Timed out waiting for receivers.\n'])
  const two = await subscribed(gateway, 'a', 2)
  t.equal(textOf(await waiting.waitForResponse()), '[INFO] Delivered to 2 subscriber(s).\n')
  for (const client of [one, two]) await hasBody(client, 'for two\n')
  for (const client of [one, two, waiting]) client.destroy()
})

part('now: 503 when nobody is there', async (t) => {
  const gateway = await startGateway(t)
  for (const target of ['a?topic&now', 'a?topic&now&min=1']) {
    const { status, body } = await published(gateway, target, 'x')
    t.match([status, body.toString()], [503, /Nobody is waiting for this name\./])
  }
  const client = await subscribed(gateway, 'a', 1)
  t.equal((await published(gateway, 'a?topic&now', 'x')).status, 200)
  client.destroy()
})

part('a client of HTTP/1.0 subscribes and publishes', async (t) => {
  const gateway = await startGateway(t)
  const client = await gateway.connect()
  await client.send('GET /a?topic HTTP/1.0\r\nHost: x\r\n\r\n')
  await countsAre(gateway, 'a', { subscribers: 1 })
  const old = await curlDone(['-0', '-d', 'hello', `${gateway.origin}/a?topic`])
  t.equal(old.stdout.toString(), '[INFO] Delivered to 1 subscriber(s).\n')
  await client.waitFor(/\r\n\r\nhello\n$/)
  t.match(client.text, /^HTTP\/1\.0 200 /)
  client.destroy()
  t.equal(bodyOf(client).length > 0, true)
})
