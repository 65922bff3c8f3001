/** How connections end: Connection: close, answers that are read late, clients that close their side, and pipelined requests. */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../../../support/eventually.js'
import { defaultPlugins, startDefaultGateway, startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { AT_ONCE_MS, answersOf, chunkedPut, get, HEALTH, logged, put, responsesOf } from './rig.js'

t.test('Connection: close in any list closes the connection behind the answer, which says so', async (t) => {
  const gateway = await startGateway(t)
  for (const value of ['close', 'TE, close', 'close, TE', 'Keep-Alive, CLOSE']) {
    const client = await gateway.connect()
    await client.send(get('/api/v1/pipe/health', `Connection: ${value}`) + HEALTH)
    await client.waitForClose(AT_ONCE_MS)
    const answers = answersOf(client)
    t.equal(answers.length, 1, `${value}: what is behind it is not answered`)
    t.same(answers[0]?.headers.connection, ['close'], value)
    t.ok(client.endedCleanly, `${value}: it is not reset`)
  }
  for (const value of ['TE', 'closed', 'keep-alive', '"close"']) {
    const client = await gateway.connect()
    await client.send(get('/api/v1/pipe/health', `Connection: ${value}`) + HEALTH)
    await eventually(() => answersOf(client).length === 2 || `${value}: ${client.text}`)
    t.equal(answersOf(client)[0]?.headers.connection, undefined, value)
    client.destroy()
  }
})

t.test('both sides of a transfer may ask for the end of their connections', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send(get('/last', 'Connection: close'))
  const sender = await gateway.connect()
  await sender.send(put('/last', ['Transfer-Encoding: chunked', 'Connection: close'], '5\r\nhello\r\n0\r\n\r\n'))
  for (const client of [receiver, sender]) await client.waitForClose(AT_ONCE_MS)
  t.match(answersOf(receiver)[0], { complete: true, headers: { connection: ['close'] } })
  t.match(answersOf(sender)[0], { complete: true, headers: { connection: ['close'] } })
  t.ok(receiver.endedCleanly && sender.endedCleanly)
})

t.test('a client that reads late, or goes on writing, still gets its answer', async (t) => {
  const gateway = await startDefaultGateway(t)
  const page = async (client: RawClient) => {
    await client.waitForClose()
    const [answer] = answersOf(client)
    t.ok(answer?.complete, `${answer?.body.length} bytes`)
    t.same(answer?.headers.connection, ['close'])
    t.ok(client.endedCleanly)
  }
  const late = await gateway.connect({ pauseOnConnect: true })
  await late.send(get('/api/v1/pipe/openapi.json', 'Connection: close'))
  await late.send(HEALTH.repeat(3000))
  await sleep(1500)
  late.resume()
  await page(late)
  // Who writes everything before it reads.
  const upload = await gateway.connect({ pauseOnConnect: true })
  await upload.send(put('/x?n=0', [`Content-Length: ${32 << 20}`]))
  for (let i = 0; i < 32; i++) await upload.send(Buffer.alloc(1 << 20))
  upload.resume()
  await page(upload)
})

t.test('a client that closes its side with its request is answered', async (t) => {
  const gateway = await startDefaultGateway(t)
  const at = async (bytes: string) => {
    const client = await gateway.connect()
    await client.send(bytes)
    client.halfClose()
    return client
  }
  const health = await at(HEALTH)
  await health.waitForClose(AT_ONCE_MS)
  t.match(answersOf(health)[0], { status: 200, complete: true })
  const status = await at(HEALTH + get('/x?status') + get('/y?n=0'))
  await status.waitForClose(AT_ONCE_MS)
  t.same(
    answersOf(status).map(({ status }) => status),
    [200, 200, 400],
    'and so are all requests before the end',
  )
  const receiver = await at(get('/half'))
  await eventually(
    () => responsesOf(receiver).some(({ status }) => status === 102) || 'it is not asked whether it is there',
  )
  const sender = await at(put('/half', ['Content-Length: 5'], 'hello'))
  for (const client of [receiver, sender]) await client.waitForClose()
  t.match(answersOf(receiver)[0], { status: 200, complete: true })
  t.equal(answersOf(receiver)[0]?.body.toString(), 'hello')
  t.match(answersOf(sender)[0]?.body.toString(), /Transfer complete\.\n$/)
  const late = await gateway.connect()
  await late.send(get('/late'))
  await sleep(300)
  late.halfClose()
  await eventually(
    () => responsesOf(late).some(({ status }) => status === 102) || 'it is not asked whether it is there',
  )
  const other = await at(chunkedPut('/late', '5\r\nhello\r\n0\r\n\r\n'))
  await late.waitForClose()
  t.equal(answersOf(late)[0]?.body.toString(), 'hello', 'before the response begins')
  await other.waitForClose()
  t.match(answersOf(other)[0]?.body.toString(), /Transfer complete\.\n$/)
})

t.test('a client that closed its side with its request is answered by a gateway that is busy, too', async (t) => {
  const gateway = await startGateway(t)
  const sender = await gateway.connect()
  await sender.send(put('/busy', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n'))
  await gateway.holds(1, 0)
  const receiver = await gateway.connect()
  receiver.onRead = () => {
    // The response has begun, and the gateway, which runs in this process, reads the end only after this.
    receiver.onRead = undefined
    for (const until = performance.now() + 50; performance.now() < until; );
  }
  await receiver.send(get('/busy'))
  receiver.halfClose()
  for (const until = performance.now() + 50; performance.now() < until; );
  await receiver.waitFor('hello')
  await sleep(200)
  await sender.send('6\r\n world\r\n0\r\n\r\n')
  await receiver.waitForClose()
  t.equal(answersOf(receiver)[0]?.body.toString(), 'hello world')
  sender.destroy()
})

t.test('a client that vanishes in the middle of its response frees its place at once', async (t) => {
  const gateway = await startGateway(t)
  for (let i = 0; i < 20; i++) {
    const sender = await gateway.connect()
    await sender.send(put('/vanish', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n'))
    await gateway.holds(1, 0)
    const receiver = await gateway.connect()
    await receiver.send(get('/vanish'))
    await receiver.waitFor('hello')
    // As fast as a process ends.
    await sleep(2)
    receiver.destroy()
    await gateway.ended('vanish', i + 1)
    await gateway.holds(0, 0)
    sender.destroy()
  }
  t.pass()
})

t.test('a client that closes its side and vanishes frees its place', async (t) => {
  t.setTimeout(120_000)
  const gateway = await startGateway(t)
  const comeAndGo = async (bytes: string, i: number) => {
    const isThere = () => gateway.gateway.table.get(`gone-${i}`) !== undefined
    const client = await gateway.connect()
    await client.send(bytes)
    await eventually(() => isThere() || 'it has no place')
    client.destroy()
    await eventually(() => !isThere() || 'its place is taken')
    const early = await gateway.connect()
    await early.send(bytes)
    early.halfClose()
    await eventually(() => isThere() || 'it has no place')
    await sleep(300)
    t.ok(isThere(), 'its place is kept for who has only closed its side')
    early.destroy()
    // A sender is asked by the next reminder, which comes every ten seconds.
    await eventually(() => !isThere() || 'its place is taken', { timeoutMs: 20_000 })
  }
  await Promise.all(
    [
      get('/gone-0'),
      put('/gone-1', ['Content-Length: 5'], 'hello'),
      chunkedPut('/gone-2', '0\r\n\r\n'),
      get('/gone-3', 'Connection: close'),
    ].map(comeAndGo),
  )
})

t.test('an end inside a head closes the connection without a word', async (t) => {
  const gateway = await startGateway(t)
  for (const bytes of ['', '\r\n', 'G', 'GET /x HTTP/1.1\r\nHost: x\r\n']) {
    const client = await gateway.connect()
    await client.send(bytes)
    client.halfClose()
    await client.waitForClose(AT_ONCE_MS)
    t.equal(client.text, '', JSON.stringify(bytes))
  }
})

t.test('pipelined requests wait for the response before them, and are answered in their order', async (t) => {
  const gateway = await startDefaultGateway(t)
  const client = await gateway.connect()
  const asked = [
    get('/first'),
    get('/x?status'),
    put('/second', ['Content-Length: 5'], 'world'),
    chunkedPut('/y?n=0', '0\r\n\r\n'),
    'GET /never HTTP/1.1\r\n\r\n',
  ]
  await client.send(asked.join(''))
  await gateway.holds(1, 0)
  t.equal(gateway.gateway.table.get('second'), undefined, 'the second has not begun')
  const sender = await gateway.connect()
  await sender.send(put('/first', ['Content-Length: 5'], 'hello'))
  await eventually(() => gateway.gateway.table.get('second') !== undefined || 'the next sender is not there')
  const receiver = await gateway.connect()
  await receiver.send(get('/second'))
  t.equal((await receiver.waitForResponse()).body.toString(), 'world')
  await client.waitForClose()
  t.same(
    answersOf(client).map(({ status, complete }) => [status, complete]),
    [
      [200, true],
      [200, true],
      [200, true],
      [400, true],
    ],
    'a body that was refused is the last one of its connection',
  )
  t.equal(answersOf(client)[0]?.body.toString(), 'hello')
  for (const each of [sender, receiver]) each.destroy()
})

t.test('what a receiver asks during its download is answered behind it', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send(get('/download'))
  const sender = await gateway.connect()
  await sender.send(chunkedPut('/download', '5\r\nhello\r\n'))
  await receiver.waitFor('hello')
  await receiver.send(HEALTH)
  await sender.send('6\r\n world\r\n0\r\n\r\n')
  await eventually(() => answersOf(receiver)[1]?.complete === true || receiver.text)
  t.equal(answersOf(receiver)[0]?.body.toString(), 'hello world')
  for (const each of [sender, receiver]) each.destroy()
})

t.test('a client that asks and asks and never reads takes little memory, and stops nobody', async (t) => {
  t.setTimeout(120_000)
  const gateway = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const waits = await gateway.connect({ pauseOnConnect: true })
  const asks = await gateway.connect({ pauseOnConnect: true })
  await waits.send(get('/never'))
  const sent = { waits: 0, asks: 0 }
  const flood = async (client: RawClient, of: keyof typeof sent) => {
    const piece = get('/api/v1/pipe/openapi.json').repeat(200)
    for (const deadline = performance.now() + 4000; performance.now() < deadline && !client.isClosed; ) {
      if ((await Promise.race([client.send(piece).then(() => 'sent'), sleep(500, 'full')])) === 'full') break
      sent[of] += piece.length
    }
  }
  global.gc?.()
  const before = process.memoryUsage().rss
  await Promise.all([flood(waits, 'waits'), flood(asks, 'asks')])
  const grown = process.memoryUsage().rss - before
  t.ok(grown < 100 << 20, `${grown} more bytes of memory; ${sent.waits} and ${sent.asks} bytes were sent`)
  t.ok(sent.waits < 16 << 20 && sent.asks < 16 << 20, 'the kernel holds the rest')
  const other = await gateway.connect()
  await other.send(HEALTH)
  t.equal((await other.waitForResponse()).status, 200)
  const answered = logged(gateway).length
  asks.resume()
  await eventually(() => logged(gateway).length > answered + 10 || 'it is not read on', { timeoutMs: 20_000 })
  for (const each of [waits, asks, other]) each.reset()
  await gateway.holds(0, 0)
})
