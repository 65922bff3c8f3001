/** Clients that do not speak HTTP as they should, and broken bodies. */

import { setTimeout as sleep } from 'node:timers/promises'
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { openReceiver, openSender, part, reasonOf, sendPart } from './rig.js'

part('what a receiver says while it downloads never ends up in its download', async (t) => {
  const gateway = await startGateway(t)
  // It is the next request, and is answered when the download is over.
  for (const junk of ['\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n`, '\x00\xff']) {
    const rude = await openReceiver(gateway, 'rude-length')
    const sender = await gateway.connect()
    // Less is missing than an error page of uWebSockets is long.
    await sender.send('PUT /rude-length HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n')
    await sender.send('a'.repeat(40))
    await rude.waitFor('a'.repeat(40))
    await rude.send(junk)
    await sender.send('b'.repeat(60))
    await sender.waitFor('Transfer complete')
    const { body } = await rude.waitForResponse()
    t.equal(body.toString(), 'a'.repeat(40) + 'b'.repeat(60), 'nothing but the stream')
    rude.destroy()
    sender.destroy()
    await gateway.holds(0, 0)
  }
  const withBody = await gateway.connect()
  await withBody.send('GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  t.equal((await withBody.waitForResponse()).status, 400)
  withBody.destroy()
})

part('a connection takes its next request after it was received on, and talked to nobody', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send('GET /polite?wait=1 HTTP/1.1\r\nHost: x\r\n\r\n')
  const first = await receiver.waitForResponse()
  t.equal(first.status, 408)
  await receiver.send('GET /polite HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(1, 0)
  const sender = await openSender(gateway, 'polite', 'chunked')
  await gateway.holds(0, 1)
  sender.destroy()
  const second = await receiver.waitForResponse({ from: first.end })
  t.equal(second.status, 502, 'it had begun, but nothing had been sent')
  await receiver.send('GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await receiver.waitForResponse({ from: first.end + second.end })).status, 200)
  receiver.destroy()
})

/** Receives `name`, sends these packets as a request to it, each in a read of its own, and says what both sides saw. */
async function sendPackets(gateway: Running, name: string, packets: readonly string[]) {
  const receiver = await openReceiver(gateway, name)
  await eventually(() => gateway.gateway.table.get(name) !== undefined || 'the receiver is not there')
  const sender = await gateway.connect()
  for (const packet of packets) {
    await sender.send(packet)
    // Long enough for the packet to be read alone: how the bytes are cut into reads is what is varied here.
    await sleep(3)
  }
  return { receiver, sender }
}

const CHUNKED_HEAD = (name: string) => `PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`

part('a body whose chunks are not what their sizes say never looks complete', async (t) => {
  const gateway = await startGateway(t)
  const broken: Record<string, string> = {
    'a chunk longer than its size': '3\r\nabcde\r\n0\r\n\r\n',
    'two bytes instead of a line break': '3\r\nabcXX0\r\n\r\n',
    'a chunk shorter than its size': '9\r\nabc\r\n0\r\n\r\n0\r\n\r\n',
    'an extension without a name': '3;=b\r\nabc\r\n0\r\n\r\n',
    'a size that is none': '3\r\nabc\r\ng\r\n0123456789abcdef\r\n0\r\n\r\n',
    'an empty size': '3\r\nabc\r\n\r\n\r\n',
    'a space before the size': '3\r\nabc\r\n 3\r\nabc\r\n0\r\n\r\n',
    'an empty size at first': '\r\nabc\r\n0\r\n\r\n',
    'a space before the first size': ' 3\r\nabc\r\n0\r\n\r\n',
    'a wrong end': '3\r\nabc\r\n0\r\nXX',
    'a wrong end of an empty body': '0\r\nXX',
  }
  let i = 0
  for (const [what, body] of Object.entries(broken)) {
    for (const packets of [
      [CHUNKED_HEAD(`broken-${i}`) + body],
      [CHUNKED_HEAD(`broken-${i + 1}`), body],
      [CHUNKED_HEAD(`broken-${i + 2}`), body.slice(0, 5), body.slice(5)],
    ]) {
      const name = `broken-${i++}`
      const { receiver, sender } = await sendPackets(gateway, name, packets)
      sender.halfClose()
      const reason = await reasonOf(gateway, name)
      t.ok(['broken_body', 'sender_left'].includes(reason), `${what}: ${reason}`)
      await sender.waitForClose()
      t.notMatch(sender.text, /Transfer complete/, what)
      await eventually(() => receiver.receivedBytes > 0 || receiver.isClosed || 'the receiver hears nothing')
      const response = receiver.received.length > 0 ? parseResponse(receiver.received) : undefined
      t.notOk(response?.status === 200 && response.complete, `${what}: the receiver does not take it for complete`)
      receiver.destroy()
    }
  }
})

part('a sound chunked body is never taken for a broken one, however it is cut into reads', async (t) => {
  const gateway = await startGateway(t)
  const body = '5\r\nhello\r\n00a\r\n0123456789\r\nB\r\nabcdefghijk\r\n0\r\n\r\n'
  const check = async (name: string, cuts: number[]) => {
    const bytes = CHUNKED_HEAD(name) + body
    const ends = [...cuts, bytes.length]
    const { receiver, sender } = await sendPackets(
      gateway,
      name,
      ends.map((end, k) => bytes.slice(ends[k - 1] ?? 0, end)),
    )
    const response = await receiver.waitForResponse()
    if (response.body.toString() !== 'hello0123456789abcdefghijk') t.fail(`cut at ${cuts}: ${response.body}`)
    await sender.waitFor('Transfer complete.')
    sender.destroy()
    receiver.destroy()
  }
  const length = CHUNKED_HEAD('cut-00').length + body.length
  const cutsOf = Array.from({ length: body.length + 8 }, (_, k) => [length - k - 1])
  for (let k = 2; k < body.length; k += 3) cutsOf.push([length - k - 1, length - k, length - k + 1])
  await Promise.all(cutsOf.map((cuts, i) => check(`cut-${String(i).padStart(2, '0')}`, cuts)))
  t.pass(`${cutsOf.length} ways to cut`)
})

part('a receiver that talks while it downloads harms only itself', async (t) => {
  const gateway = await startGateway(t)
  const rude = await openReceiver(gateway, 'rude?n=2')
  const polite = await openReceiver(gateway, 'rude?n=2')
  const sender = await openSender(gateway, 'rude?n=2', 'chunked')
  await sendPart(sender, 'chunked', 'before')
  await rude.waitFor('before')
  await rude.send('GET /rude HTTP/1.1\r\nHost: x\r\n\r\n')
  await sendPart(sender, 'chunked', 'after')
  await sender.send('0\r\n\r\n')
  t.equal((await polite.waitForResponse()).body.toString(), 'beforeafter')
  t.equal((await rude.waitForResponse()).body.toString(), 'beforeafter')
  await gateway.holds(1, 0)
  t.equal(gateway.gateway.table.get('rude')?.receiversPresent, 1, 'what it asked meanwhile is its next request')
  rude.destroy()
  polite.destroy()
  sender.destroy()
})

part('a form that is broken, and one with nothing in it', async (t) => {
  const gateway = await startGateway(t)
  for (const [reason, body] of [
    ['broken_form', '--b\r\n'],
    ['empty_form', '--b--\r\n'],
  ] as const) {
    const sender = curl(['-H', 'Content-Type: multipart/form-data; boundary=b', '-d', body, gateway.url(reason)])
    t.equal(await reasonOf(gateway, reason), reason)
    t.not((await sender.result).code, 0)
  }
})
