/** How many there may be, and viewers that come and go by thousands. */
import { Random } from '../../../model/random.js'
import { eventually } from '../../../support/eventually.js'
import { speaksTls, startGateway } from '../../../support/gateway.js'
import { connectPeer } from '../../../support/peer.js'
import { parseResponse } from '../../../support/raw.js'
import { ResponseReader } from '../../../support/response-reader.js'
import { bodyOf } from '../../../support/tape.js'
import {
  countsOf,
  exactly,
  hasGot,
  joined,
  KIB,
  type LiveSender,
  openLive,
  openViewer,
  part,
  seenBy,
  viewersOf,
} from './rig.js'

part('the places for viewers of a stream: the next one reads 429, and gets one when somebody leaves', async (t) => {
  const gateway = await startGateway(t, { maxViewers: '2' })
  const [one, two] = [await joined(gateway, 'a?live', 1), await joined(gateway, 'a?live', 2)]
  const early = await (await openViewer(gateway, 'a?live')).waitForResponse()
  t.match(
    [early.status, early.headers['x-pipe-code'], early.headers['retry-after']?.length],
    [429, ['VIEWERS_FULL'], 1],
  )
  const sender = await openLive(gateway, 'a?live')
  await sender.client.waitFor('Live: streaming')
  for (const target of ['a?live', 'a']) {
    const refused = await (await openViewer(gateway, target)).waitForResponse()
    t.match([refused.status, refused.headers['x-pipe-code']], [429, ['VIEWERS_FULL']])
    t.match(
      refused.body.toString(),
      /All 2 places for viewers of this stream are taken\. Try again when somebody has left\./,
    )
  }
  one.destroy()
  await viewersOf(gateway, 'a', 1)
  const three = await joined(gateway, 'a', 2)
  await sender.send('for two')
  await sender.end()
  for (const viewer of [two, three]) t.equal((await viewer.waitForResponse()).body.toString(), 'for two')
})

part('256 viewers by default, and the 257th is refused', async (t) => {
  const gateway = await startGateway(t)
  const viewers = await Promise.all(Array.from({ length: 256 }, () => openViewer(gateway, 'b?live')))
  await viewersOf(gateway, 'b', 256)
  const refused = await (await openViewer(gateway, 'b?live')).waitForResponse()
  t.equal(refused.status, 429)
  const sender = await openLive(gateway, 'b?live')
  const body = bodyOf(1, 300 * KIB)
  await sender.send(body)
  await sender.end()
  for (const viewer of viewers) {
    await hasGot(viewer, body.length)
    await viewer.waitForResponse()
  }
  t.ok(viewers.every((viewer) => parseResponse(viewer.received).body.equals(body)))
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 256 viewers).')
})

part('100 live names: the next one reads 429, pipes do not, and one is free when a stream ends', async (t) => {
  const gateway = await startGateway(t)
  const senders = await Promise.all(Array.from({ length: 99 }, (_, i) => openLive(gateway, `c${i}?live`)))
  const waiting = await openViewer(gateway, 'c99?live')
  await gateway.holds(1, 99)
  for (const open of [
    () => openViewer(gateway, 'c100?live'),
    async () => (await openLive(gateway, 'c100?live')).client,
  ]) {
    const refused = await (await open()).waitForResponse()
    t.match([refused.status, refused.headers['x-pipe-code']], [429, ['TOO_MANY_LIVE']])
    t.match(
      refused.body.toString(),
      /All 100 places for live streams are taken\. Try again when one of them has ended\./,
    )
  }
  const pipe = await openViewer(gateway, 'c-pipe')
  await gateway.holds(2, 99)
  await senders[0]!.end()
  await senders[0]!.lastLine()
  const next = await openLive(gateway, 'c100?live')
  await next.client.waitFor('Live: streaming')
  for (const client of [...senders.map((each) => each.client), next.client, waiting, pipe]) client.destroy()
})

part('4096 viewers of all streams together', async (t) => {
  const gateway = await startGateway(t)
  const { table } = gateway.gateway
  // As many as that are not opened here: what counts them is told that they are there.
  table.viewers += 4095
  const last = await joined(gateway, 'd?live', 1)
  for (const target of ['d?live', 'd2?live']) {
    const refused = await (await openViewer(gateway, target)).waitForResponse()
    t.match([refused.status, refused.headers['x-pipe-code']], [429, ['ALL_VIEWERS_FULL']])
    t.match(refused.body.toString(), /All 4096 places for viewers of this server are taken\./)
  }
  table.viewers -= 4095
  last.destroy()
  await eventually(() => table.viewers === 0 || `${table.viewers} viewers`)
})

/** By hand a million: `PIPEGATE_LIVE_JOINS=1000000 TAP_TIMEOUT=10000`. */
// Thousands of handshakes, of which both sides are in this process, would be most of what this does over TLS.
const JOINS = Number(process.env.PIPEGATE_LIVE_JOINS ?? (speaksTls() ? 300 : 3000))
const AT_ONCE = 32

part(`${JOINS} viewers come and go while one stays: nobody gets a wrong byte, and nothing is left`, async (t) => {
  const gateway = await startGateway(t)
  const random = new Random(20261129)
  const stays = await joined(gateway, 'e?live', 1)
  const sender = await openLive(gateway, 'e?live')
  const stream: Buffer[] = []
  let isOver = false
  const streaming = broadcastTo(sender, stream, () => isOver)
  let [wrong, told, left] = [0, 0, JOINS]
  const all = () => Buffer.concat(stream)
  const one = async () => {
    const got: Buffer[] = []
    const reader = new ResponseReader((bytes) => got.push(Buffer.from(bytes)))
    const peer = await connectPeer({ port: gateway.port, tls: gateway.tls, onBytes: (bytes) => reader.push(bytes) })
    await peer.send('GET /e?live HTTP/1.1\r\nHost: x\r\n\r\n')
    const wanted = random.below(3) === 0 ? -1 : random.below(2 * KIB)
    if (wanted >= 0)
      await eventually(() => reader.bodyBytes >= wanted || `${reader.bodyBytes} of ${wanted}`, { everyMs: 2 })
    peer.leave((['destroy', 'reset'] as const)[random.below(2)]!)
    await peer.closed
    const offset = Number(reader.head?.headers.get('x-pipe-offset') ?? Number.NaN)
    if (reader.head === undefined) return
    told++
    const body = Buffer.concat(got)
    const whole = all()
    if (reader.problem !== undefined || !whole.subarray(offset, offset + body.length).equals(body)) wrong++
  }
  const worker = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  isOver = true
  await streaming
  await sender.end()
  const whole = all()
  await hasGot(stays, whole.length)
  await stays.waitForResponse()
  exactly(t, stays, whole, 0, 'clean')
  t.equal(wrong, 0, `${told} of them were told their place and got something`)
  t.ok(told > JOINS / 3)
  t.match(await sender.lastLine(), /^\[INFO\] Live stream ended \(peak \d+ viewers\)\.$/)
  t.equal(gateway.gateway.table.viewers, 0)
  t.equal(countsOf(gateway, 'e'), undefined)
  t.equal(seenBy(stays).offset, 0)
})

/** A piece every other millisecond, of which every byte is right in one place only. */
async function broadcastTo(sender: LiveSender, stream: Buffer[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const piece = bodyOf(stream.length + 1, 512)
    stream.push(piece)
    await sender.send(piece)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
