/** A sender streams whether somebody is there or not: what it reads, what becomes of its bytes, for whom it waits. */
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import {
  exactly,
  hasGot,
  hasRead,
  joined,
  MIB,
  newBody,
  openLive,
  openViewer,
  part,
  pipeOf,
  seenBy,
  viewersOf,
} from './rig.js'

part('with nobody there its bytes are dropped, as fast as they come', async (t) => {
  const gateway = await startGateway(t)
  const body = newBody(24 * MIB)
  const sender = await openLive(gateway, 'a?live')
  await sender.client.waitFor('[INFO] Live: streaming. Viewers can join at any time.\n')
  await sender.send(body)
  await hasRead(gateway, 'a', body.length)
  t.equal(gateway.gateway.slabs.heldBytes, 0, 'nothing is kept of it')
  const viewer = await joined(gateway, 'a?live', 1)
  await sender.send('the rest')
  await sender.end()
  await viewer.waitForResponse()
  exactly(t, viewer, Buffer.concat([body, Buffer.from('the rest')]), body.length, 'clean')
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 1 viewers).')
  t.equal(
    sender.lines,
    '[INFO] Live: streaming. Viewers can join at any time.\n[INFO] Live stream ended (peak 1 viewers).\n',
  )
  t.equal(await gateway.ended('a'), 'complete')
})

part('with POST, a length, an empty body, and nobody at all', async (t) => {
  const gateway = await startGateway(t)
  const watching = curl([`${gateway.origin}/b?live`])
  await viewersOf(gateway, 'b', 1)
  const posted = await curlDone([
    '-H',
    'Content-Type: text/plain',
    '--data-binary',
    'posted',
    `${gateway.origin}/b?live`,
  ])
  t.equal(
    posted.stdout.toString(),
    '[INFO] Live: streaming. Viewers can join at any time.\n[INFO] Live stream ended (peak 1 viewers).\n',
  )
  t.equal((await watching.result).stdout.toString(), 'posted')
  for (const input of ['', 'not seen by anybody']) {
    const { code, stdout } = await curlDone(['-T', '-', `${gateway.origin}/b?live`], { input })
    t.equal(code, 0)
    t.ok(stdout.toString().endsWith('\n[INFO] Live stream ended (peak 0 viewers).\n'))
  }
  const atEnd = await curlDone(['-w', '%{http_code}', '-T', '-', `${gateway.origin}/b?live&reply=end`], { input: 'x' })
  t.ok(atEnd.stdout.toString().endsWith('[INFO] Live stream ended (peak 0 viewers).\n200'))
})

part('a length that the sender announces is kept from viewers, who get less, and holds for the sender', async (t) => {
  const gateway = await startGateway(t)
  const first = await openViewer(gateway, 'c?live')
  await viewersOf(gateway, 'c', 1)
  const client = await gateway.connect()
  await client.send('PUT /c?live HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')
  await hasRead(gateway, 'c', 5)
  const late = await joined(gateway, 'c', 2)
  await client.send('67890')
  for (const [viewer, offset] of [
    [first, 0],
    [late, 5],
  ] as const) {
    const response = await viewer.waitForResponse()
    t.same([response.headers['content-length'], response.framing], [undefined, 'chunked'])
    exactly(t, viewer, Buffer.from('1234567890'), offset, 'clean')
  }
  await client.waitFor('[INFO] Live stream ended (peak 2 viewers).')
})

part('min: the body is not read before so many viewers are there', async (t) => {
  const gateway = await startGateway(t)
  const body = newBody(6 * MIB)
  const sender = await openLive(gateway, 'd?live&min=2')
  const sent = sender.send(body)
  await sender.client.waitFor('[INFO] Live: 0 of 2 viewer(s) are here. Waiting for the others...\n')
  const one = await joined(gateway, 'd?live', 1)
  await sender.client.waitFor('[INFO] A viewer connected, 1 of 2.\n')
  t.equal(pipeOf(gateway, 'd')?.state, 'waiting')
  t.ok((pipeOf(gateway, 'd')?.bytesIn ?? 0) < MIB, 'no more than what came with its head')
  t.equal(one.receivedBytes, 0, 'a viewer that waits has no head yet')
  const other = await openViewer(gateway, 'd?live')
  await sent
  await sender.end()
  for (const viewer of [one, other]) {
    await hasGot(viewer, body.length)
    await viewer.waitForResponse()
    exactly(t, viewer, body, 0, 'clean')
  }
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 2 viewers).')
})

part('min, and not enough come within its wait: 408 for the sender, and the viewers wait on', async (t) => {
  const gateway = await startGateway(t)
  const viewer = await joined(gateway, 'e?live', 1)
  const lonely = await curlDone(['-T', '-', `${gateway.origin}/e?live&min=2&wait=1`], { input: 'unread' })
  t.not(lonely.code, 0)
  t.ok(lonely.stdout.toString().endsWith('\n[ERROR] Timed out waiting for receivers.\n'), lonely.stdout.toString())
  t.equal(pipeOf(gateway, 'e')?.receiversPresent, 1, 'the viewer waits on')
  const status = ['-o', '/dev/null', '-w', '%{http_code}', '-T', '-', `${gateway.origin}/e?live&min=2&wait=1&reply=end`]
  t.equal((await curlDone(status, { input: 'x' })).stdout.toString(), '408')
  const next = await curlDone(['-T', '-', `${gateway.origin}/e?live`], { input: 'the next one' })
  t.equal(next.code, 0)
  t.equal((await viewer.waitForResponse()).body.toString(), 'the next one')
  t.equal(seenBy(viewer).offset, 0)
})

part('min=0 is as none, and what is beyond the places for viewers is refused', async (t) => {
  const gateway = await startGateway(t, { maxViewers: '3' })
  const none = await curlDone(['-T', '-', `${gateway.origin}/f?live&min=0`], { input: 'x' })
  t.ok(none.stdout.toString().endsWith('(peak 0 viewers).\n'))
  const most = await openLive(gateway, 'f?live&min=3')
  await most.client.waitFor('0 of 3 viewer(s)')
  const more = await curlDone(['-w', '%{http_code}', '-T', '-', `${gateway.origin}/g?live&min=4`], { input: 'x' })
  t.match(more.stdout.toString(), /min[\s\S]*400$/)
  most.client.destroy()
})

part('a viewer waits for the sender: as long as it said, and then reads 408', async (t) => {
  const gateway = await startGateway(t)
  const early = await curlDone(['-w', '%{http_code}', `${gateway.origin}/h?live&wait=1`])
  t.equal(early.stdout.toString(), '[ERROR] Timed out waiting for sender.\n408')
  t.equal(await gateway.ended('h'), 'no_sender')
  const now = await curlDone(['-w', '%{http_code}', `${gateway.origin}/h?live&now`])
  t.match(now.stdout.toString(), /^\[ERROR\] Nobody is waiting for this name\.[\s\S]*503$/)
  const sender = await openLive(gateway, 'h?live&now')
  await sender.client.waitFor('Live: streaming')
  const joining = curl(['-N', `${gateway.origin}/h?live&now`])
  await viewersOf(gateway, 'h', 1)
  await sender.send('now')
  await joining.waitFor('now')
  await sender.end()
  t.equal((await joining.result).code, 0)
})

part('a sender of HTTP/1.0 gets its lines in one answer, and streams all the same', async (t) => {
  const gateway = await startGateway(t)
  const viewer = await joined(gateway, 'j?live', 1)
  const body = newBody(2 * MIB)
  const args = ['--http1.0', '-X', 'PUT', '--data-binary', '@-', '-i', `${gateway.origin}/j?live`]
  const { code, stdout } = await curlDone(args, { input: body })
  t.equal(code, 0)
  t.match(stdout.toString(), /^HTTP\/1\.0 200 [\s\S]*\[INFO\] Live stream ended \(peak 1 viewers\)\.\n$/)
  await viewer.waitForResponse()
  exactly(t, viewer, body, 0, 'clean')
})

part('a sender that asks before it sends is told to go on when its viewers are there', async (t) => {
  const gateway = await startGateway(t)
  const args = ['-H', 'Expect: 100-continue', '--expect100-timeout', '30', '-T', '-', `${gateway.origin}/k?live&min=1`]
  const asks = curl(args, { input: 'after all' })
  await eventually(() => pipeOf(gateway, 'k')?.hasSender === true || 'it has not come')
  const viewer = await openViewer(gateway, 'k?live')
  t.equal((await viewer.waitForResponse()).body.toString(), 'after all')
  t.equal((await asks.result).code, 0)
})

part('hold: what is read while nobody is there is kept, and the first viewer gets it from offset 0', async (t) => {
  const gateway = await startGateway(t)
  const body = newBody(12 * MIB)
  const sender = await openLive(gateway, 'i?live&slow=hold')
  const sent = sender.send(body)
  await eventually(() => (pipeOf(gateway, 'i')?.bytesIn ?? 0) > 0 || 'nothing has been read')
  const first = await openViewer(gateway, 'i?live')
  await sent
  await hasGot(first, body.length)
  first.destroy()
  await viewersOf(gateway, 'i', 0)
  const more = newBody(12 * MIB)
  const sentMore = sender.send(more)
  const next = await openViewer(gateway, 'i?live')
  await sentMore
  await sender.end()
  await hasGot(next, more.length)
  await next.waitForResponse()
  exactly(t, next, Buffer.concat([body, more]), body.length, 'clean')
  t.ok(seenBy(first).body.equals(body), 'the first has every byte from 0 on')
  t.equal(seenBy(first).offset, 0)
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 1 viewers).')
})
