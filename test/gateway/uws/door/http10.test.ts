/** HTTP/1.0, which knows neither chunks nor 100 Continue: its answers have a length, or end with the connection. */

import t from 'tap'
import { eventually } from '../../../support/eventually.js'
import { startDefaultGateway, startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { AT_ONCE_MS, answersOf, chunkedPut, faultOfRefusal, put } from './rig.js'

const get10 = (target: string, ...fields: string[]) => `${[`GET ${target} HTTP/1.0`, ...fields].join('\r\n')}\r\n\r\n`
const put10 = (target: string, fields: readonly string[], body: string) =>
  `${[`PUT ${target} HTTP/1.0`, `Content-Length: ${body.length}`, ...fields].join('\r\n')}\r\n\r\n${body}`
const bodyOf = ({ text }: RawClient) => text.slice(text.indexOf('\r\n\r\n') + 4)
const HEALTH10 = (...fields: string[]) => get10('/api/v1/pipe/health', ...fields)

t.test('it receives what has a length with that length, and what has none until the connection ends', async (t) => {
  const gateway = await startGateway(t)
  for (const [framing, bytes] of [
    ['a length', put('/old', ['Content-Length: 11'], 'hello world')],
    ['chunks', chunkedPut('/old', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')],
  ] as const) {
    const receiver = await gateway.connect()
    await receiver.send(get10('/old'))
    await gateway.holds(1, 0)
    const sender = await gateway.connect()
    await sender.send(bytes)
    await sender.waitFor('Transfer complete')
    await receiver.waitForClose(AT_ONCE_MS)
    t.match(receiver.text, /^HTTP\/1\.0 200 OK\r\n/, framing)
    t.notMatch(receiver.text, /transfer-encoding|chunked/i, framing)
    t.match(receiver.text, framing === 'chunks' ? /^(?![\s\S]*content-length)/i : /Content-Length: 11\r\n/, framing)
    t.equal(bodyOf(receiver), 'hello world', framing)
    t.ok(receiver.endedCleanly, `${framing}: with a clean end`)
    sender.destroy()
  }
})

t.test('much of it comes whole, byte for byte', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect({ keep: false })
  await receiver.send(get10('/much'))
  await gateway.holds(1, 0)
  const sender = await gateway.connect()
  await sender.send(put('/much', ['Transfer-Encoding: chunked']))
  let sent = 0
  for (let i = 1; i <= 200; i++) {
    const size = (i * 7919) % 300_000
    if (size === 0) continue
    sent += size
    await sender.send(
      Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size, i), Buffer.from('\r\n')]),
    )
  }
  await sender.send('0\r\n\r\n')
  await receiver.waitForClose(60_000)
  const head = receiver.receivedBytes - sent
  t.ok(head > 100 && head < 600, `${receiver.receivedBytes} bytes came, ${sent} of them were sent`)
  t.equal(await gateway.ended('much'), 'complete')
  sender.destroy()
})

t.test('a transfer that fails resets its receiver, so that it does not look complete', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send(get10('/fails'))
  await gateway.holds(1, 0)
  const sender = await gateway.connect()
  await sender.send(chunkedPut('/fails', '5\r\nhello\r\n'))
  await receiver.waitFor('hello')
  sender.reset()
  await receiver.waitForClose(AT_ONCE_MS)
  t.equal(receiver.errorCode, 'ECONNRESET')
  t.notOk(receiver.endedCleanly)
})

t.test('it sends, and gets its lines and the outcome in one answer, as with ?reply=end', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send('GET /sent HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(1, 0)
  const sender = await gateway.connect()
  await sender.send(put10('/sent', [], 'hello'))
  t.equal((await receiver.waitForResponse()).body.toString(), 'hello')
  await sender.waitForClose(AT_ONCE_MS)
  t.match(sender.text, /^HTTP\/1\.0 200 OK\r\n/)
  t.match(sender.text, `\r\nContent-Length: ${bodyOf(sender).length}\r\n`)
  t.match(bodyOf(sender), /^\[INFO\] [\s\S]*\n\[INFO\] Transfer complete\.\n$/)
  t.ok(sender.endedCleanly)
  const alone = await gateway.connect()
  await alone.send(put10('/alone?wait=1&reply=stream', ['Connection: keep-alive'], 'hello') + HEALTH10())
  await alone.waitForClose()
  const [answer, next] = answersOf(alone)
  t.equal(answer!.status, 408)
  t.match(answer!.body.toString(), /\[ERROR\] Timed out waiting for receivers\.\n$/)
  t.equal(next!.status, 200, 'the connection is kept')
  receiver.destroy()
})

t.test('keep-alive is kept where the length is known, and said', async (t) => {
  const gateway = await startGateway(t)
  const kept = await gateway.connect()
  await kept.send(HEALTH10('Connection: keep-alive') + HEALTH10('Connection: Keep-Alive') + HEALTH10() + HEALTH10())
  await kept.waitForClose(AT_ONCE_MS)
  t.same(
    answersOf(kept).map(({ status, headers }) => [status, headers.connection]),
    [
      [200, ['keep-alive']],
      [200, ['keep-alive']],
      [200, ['close']],
    ],
  )
  const stream = await gateway.connect()
  await stream.send(get10('/stream', 'Connection: keep-alive') + HEALTH10())
  await gateway.holds(1, 0)
  const sender = await gateway.connect()
  await sender.send(chunkedPut('/stream', '5\r\nhello\r\n0\r\n\r\n'))
  await stream.waitForClose()
  t.match(stream.text, /\r\nConnection: close\r\n/)
  t.equal(bodyOf(stream), 'hello', 'nothing can follow such a body')
  sender.destroy()
})

t.test('refusals, events of progress and what it may not say', async (t) => {
  const gateway = await startDefaultGateway(t)
  const one = async (bytes: string) => {
    const client = await gateway.connect()
    await client.send(bytes)
    return client
  }
  const named = await one(get10('/x?n=0'))
  await named.waitForClose(AT_ONCE_MS)
  t.match(answersOf(named)[0], { status: 400, headers: { connection: ['close'] } })
  const coded = await one('PUT /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
  await coded.waitForClose(AT_ONCE_MS)
  t.equal(faultOfRefusal('CODING_IN_HTTP_1_0', answersOf(coded)[0]!), undefined)
  const watcher = await one(get10('/watched?progress'))
  await watcher.waitFor('event: state')
  t.notMatch(watcher.text, /chunked/)
  const receiver = await one(get10('/watched'))
  await watcher.waitFor('"waiting"')
  const sender = await one(put10('/watched', [], 'hello'))
  await watcher.waitFor('event: done')
  await eventually(() => watcher.isClosed || 'the stream of events has not ended')
  t.notMatch(bodyOf(watcher), /^[0-9a-f]+\r$/m, 'there are no sizes in it')
  for (const client of [receiver, sender]) await client.waitForClose()
  t.equal(bodyOf(receiver), 'hello')
})
