/** Bodies as they come over the wire: extensions, trailers, what breaks a body, and uploads that were refused. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { AT_ONCE_MS, answersOf, chunkedPut, get, HEALTH, logged, put, startBystander } from './rig.js'

let names = 0

/** A receiver, and a sender that begins with these bytes. */
async function pairOf(gateway: Running, bytes: (name: string) => string) {
  const name = `body-${names++}`
  const receiver = await gateway.connect()
  await receiver.send(get(`/${name}`))
  await eventually(() => gateway.gateway.table.get(name) !== undefined || 'the receiver is not there')
  const sender = await gateway.connect()
  await sender.send(bytes(name))
  return { name, receiver, sender }
}

const leave = (...clients: readonly RawClient[]) => {
  for (const client of clients) client.destroy()
}

const SIGNED = [
  '400;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  'x'.repeat(0x400),
  '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  '',
  '',
].join('\r\n')

const SOUND: readonly (readonly [what: string, body: string, is: string])[] = [
  ['a quoted extension', '5;ext="a;b"\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['signed chunks, as for S3', SIGNED, 'x'.repeat(0x400)],
  ['an extension of the last chunk', '5\r\nhello\r\n0;last\r\n\r\n', 'hello'],
  ['a long extension of the first', `5;a=${'b'.repeat(16_000)}\r\nhello\r\n0\r\n\r\n`, 'hello'],
  ['trailers', '5\r\nhello\r\n0\r\nX-Checksum: 1\r\nExpires: never\r\n\r\n', 'hello'],
  [
    'trailers that look like framing',
    '5\r\nhello\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\n\r\n',
    'hello',
  ],
  ['8 KiB of trailers', `5\r\nhello\r\n0\r\nX:${'y'.repeat(8190)}\r\n\r\n`, 'hello'],
]

t.test('extensions are skipped, trailers are dropped, and the request behind them is answered', async (t) => {
  const gateway = await startGateway(t)
  for (const [what, body, is] of SOUND) {
    const { name, receiver, sender } = await pairOf(gateway, (name) => chunkedPut(`/${name}`, body) + HEALTH)
    const { complete, body: got } = await receiver.waitForResponse()
    t.ok(complete && got.toString() === is, `${what}: the receiver has all of it`)
    t.notMatch(receiver.text, /checksum|signature/i, what)
    await eventually(() => answersOf(sender)[1]?.complete === true || `${what}: ${sender.text}`)
    t.match(answersOf(sender)[0]!.body.toString(), /Transfer complete\.\n$/, what)
    t.match(answersOf(sender)[1], { status: 200 }, `${what}: the next request is answered`)
    t.equal(await gateway.ended(name), 'complete', what)
    leave(receiver, sender)
  }
})

t.test('a body comes whole, wherever it and its head are cut', async (t) => {
  const gateway = await startGateway(t)
  const all = (name: string) => `${chunkedPut(`/${name}`, '3;a="b"\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n')}${HEALTH}`
  const check = async (cut: number) => {
    const { receiver, sender, name } = await pairOf(gateway, (name) => all(name).slice(0, cut))
    await new Promise((resolve) => setTimeout(resolve, 20))
    await sender.send(all(name).slice(cut))
    t.equal((await receiver.waitForResponse()).body.toString(), 'abcde', `cut at ${cut}`)
    await eventually(() => answersOf(sender)[1]?.complete === true || `cut at ${cut}: ${sender.text}`)
    leave(receiver, sender)
  }
  const cuts = Array.from({ length: all('body-000').length }, (_, cut) => cut)
  for (let i = 0; i < cuts.length; i += 16) await Promise.all(cuts.slice(i, i + 16).map(check))
})

const BROKEN: readonly (readonly [what: string, first: string, rest: string])[] = [
  ['a size line that is cut and then broken', '5;a=b', 'c d\r\nhello\r\n0\r\n\r\n'],
  ['a first size line of more than a cut, with a space', ' 5\r\nXXabc\r\n\r\n0\r\n\r\n', ''],
  ['a size line without an end', `1;a=${'b'.repeat(60)}`, 'b'.repeat(20_000)],
  ['no line break behind a chunk', '3\r\nabc', 'X'],
  ['trailers of more than 8 KiB', `3\r\nabc\r\n0\r\nX:${'y'.repeat(100)}`, 'y'.repeat(8192)],
  ['a trailer with a space before its colon', '3\r\nabc\r\n0\r\nX', ' : y\r\n\r\n'],
]

t.test('a body whose framing breaks is told, closed, and not read on', async (t) => {
  const gateway = await startGateway(t)
  const bystander = await startBystander(t, gateway)
  for (const [what, first, rest] of BROKEN) {
    const from = gateway.lines.length
    const { name, receiver, sender } = await pairOf(gateway, (name) => chunkedPut(`/${name}`, first))
    await new Promise((resolve) => setTimeout(resolve, 30))
    await sender.send(rest)
    t.equal(await gateway.ended(name), 'broken_body', what)
    // It goes on sending what the gateway shall not read.
    let taken = 0
    const more = Buffer.alloc(1 << 20, '1\r\nx\r\n')
    while (!sender.isClosed && taken < 64 << 20) {
      const isTaken = await Promise.race([sender.send(more).then(() => true), sender.closed.then(() => false)])
      await nextTurn()
      if (isTaken && !sender.isClosed) taken += more.length
    }
    await sender.waitForClose(AT_ONCE_MS)
    // One whose response had not begun has got a status, and may ask again.
    await eventually(
      () => receiver.isClosed || answersOf(receiver)[0]?.complete === true || `${what}: the receiver waits`,
    )
    t.ok(taken <= 16 << 20, `${what}: ${taken} bytes went on`)
    t.notOk(
      answersOf(receiver)[0]?.status === 200 && answersOf(receiver)[0]?.complete,
      `${what}: it does not look complete`,
    )
    await eventually(() => logged(gateway, from).some(({ path }) => path === `/${name}`) || 'it is not in the log')
    leave(receiver, sender)
    await bystander.goOn()
  }
  await bystander.end()
})

t.test('the line that tells of a broken body reaches a sender that reads', async (t) => {
  const gateway = await startGateway(t)
  for (const [what, first, rest] of BROKEN) {
    const { receiver, sender } = await pairOf(gateway, (name) => chunkedPut(`/${name}`, first))
    await sender.send(rest)
    await sender.waitFor('[ERROR] Transfer failed: the body is not framed as chunked transfer coding asks for.\n')
    await sender.waitForClose(AT_ONCE_MS)
    t.notMatch(sender.text, /\r\n0\r\n\r\n$/, `${what}: its response has no clean end`)
    leave(receiver, sender)
  }
})

t.test('a body with a length that ends early fails, and one that goes on is the next request', async (t) => {
  const gateway = await startGateway(t)
  const early = await pairOf(gateway, (name) => put(`/${name}`, ['Content-Length: 10'], 'half '))
  early.sender.halfClose()
  t.equal(await gateway.ended(early.name), 'sender_left', 'the end of a connection inside a body is a failure')
  await early.receiver.waitForClose()
  t.notOk(answersOf(early.receiver)[0]?.complete, 'its receiver is cut')
  const late = await pairOf(gateway, (name) => `${put(`/${name}`, ['Content-Length: 5'], 'hello')}${HEALTH}`)
  t.equal((await late.receiver.waitForResponse()).body.toString(), 'hello')
  await eventually(() => answersOf(late.sender).length === 2 || late.sender.text)
  leave(late.receiver, late.sender, early.sender, early.receiver)
})

t.test('a refused upload that goes on is dropped, within a bound, and disturbs nobody', async (t) => {
  const gateway = await startGateway(t)
  const bystander = await startBystander(t, gateway)
  for (const framing of ['Content-Length: 99999999999', 'Transfer-Encoding: chunked']) {
    const client = await gateway.connect()
    await client.send(put('/x?n=0', [framing]))
    const { status, headers } = await client.waitForResponse()
    t.same([status, headers.connection], [400, ['close']])
    const from = gateway.lines.length
    const piece = Buffer.alloc(1 << 20, 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n')
    let sent = 0
    while (!client.isClosed && sent < 1 << 29) {
      await Promise.race([client.send(piece), client.closed])
      sent += piece.length
    }
    t.ok(client.isClosed, `${framing}: it is closed in the end`)
    t.ok(sent <= 300 << 20, `${framing}: ${sent} bytes`)
    t.equal(logged(gateway, from).length, 0, 'nothing in it was taken for a request')
    await bystander.goOn()
  }
  await bystander.end()
})

t.test('Expect: in any case a client that waits is told to go on, and any other expectation is refused', async (t) => {
  const gateway = await startGateway(t)
  for (const value of ['100-continue', '100-Continue', '100-CONTINUE']) {
    const { name, receiver, sender } = await pairOf(gateway, (name) =>
      put(`/${name}`, ['Content-Length: 5', `Expect: ${value}`]),
    )
    await sender.waitFor('HTTP/1.1 100 Continue\r\n\r\n')
    await sender.send('hello')
    t.equal((await receiver.waitForResponse()).body.toString(), 'hello', value)
    t.equal(await gateway.ended(name), 'complete')
    leave(receiver, sender)
  }
  const early = await pairOf(gateway, (name) => put(`/${name}`, ['Content-Length: 5', 'Expect: 100-continue'], 'hello'))
  t.equal((await early.receiver.waitForResponse()).body.toString(), 'hello', 'who does not wait may send at once')
  leave(early.receiver, early.sender)
  const refused = await gateway.connect()
  await refused.send(put('/x', ['Content-Length: 5', 'Expect: a-miracle']))
  t.match(await refused.waitForResponse(), { status: 417, headers: { 'x-pipe-code': ['UNKNOWN_EXPECTATION'] } })
  await refused.waitForClose()
})
