/** Viewers join: where they begin, what their head says, by which requests. */
import { curl, curlDone } from '../../../support/curl.js'
import { startGateway } from '../../../support/gateway.js'
import { exactly, hasRead, joined, openLive, openViewer, part, seenBy, viewersOf } from './rig.js'

part('viewers come at any time, and each begins at the next byte', async (t) => {
  const gateway = await startGateway(t)
  const early = await joined(gateway, 'a?live', 1)
  const sender = await openLive(gateway, 'a?live')
  const stream = Buffer.from('one two three four ')
  const viewers = [{ viewer: early, offset: 0 }]
  for (let at = 0; at < stream.length; at += 5) {
    await sender.send(stream.subarray(at, at + 5))
    const offset = Math.min(at + 5, stream.length)
    await hasRead(gateway, 'a', offset)
    if (offset < stream.length) viewers.push({ viewer: await joined(gateway, 'a?live', viewers.length + 1), offset })
  }
  await sender.end()
  for (const { viewer, offset } of viewers) {
    await viewer.waitForResponse()
    exactly(t, viewer, stream, offset, 'clean')
  }
  t.equal(await sender.lastLine(), `[INFO] Live stream ended (peak ${viewers.length} viewers).`)
})

part('the head of a viewer', async (t) => {
  const gateway = await startGateway(t)
  const early = await joined(gateway, 'b?live&download&filename=mine.txt', 1)
  const sender = await openLive(
    gateway,
    'b?live',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Disposition: attachment; filename="theirs.txt"',
    'X-Piping: one of mine',
  )
  await sender.send('seven b')
  await early.waitFor('seven b')
  const late = await joined(gateway, 'b?live', 2)
  t.equal(late.receivedBytes, 0, 'the head leaves with the first bytes')
  await sender.send('ytes')
  await sender.end()
  for (const [viewer, offset, fileName] of [
    [early, '0', /mine\.txt/],
    [late, '7', /theirs\.txt/],
  ] as const) {
    const { headers, framing } = await viewer.waitForResponse()
    t.equal(framing, 'chunked')
    t.match(headers, {
      'content-type': ['text/plain; charset=utf-8'],
      'content-disposition': [fileName],
      'x-piping': ['one of mine'],
      'x-pipe-live': ['1'],
      'x-hoody-pipe-live': ['1'],
      'x-pipe-offset': [offset],
      'cache-control': ['no-store'],
      'content-length': undefined,
      'accept-ranges': undefined,
    })
    t.equal(headers['x-pipe-transfer-id']?.[0], early && seenBy(early).headers['x-pipe-transfer-id']?.[0])
  }
})

part('a plain GET joins a broadcast that runs, one with ?live=0 does not', async (t) => {
  const gateway = await startGateway(t)
  const sender = await openLive(gateway, 'c?live')
  await sender.send('before')
  await hasRead(gateway, 'c', 6)
  const plain = await joined(gateway, 'c', 1)
  const refused = await curlDone(['-w', '%{http_code}', `${gateway.origin}/c?live=0`])
  t.match(
    refused.stdout.toString(),
    /^\[ERROR\] This name is a live stream now, and this request asks for a pipe\.[\s\S]*409$/,
  )
  await sender.send(' and after')
  await sender.end()
  await plain.waitForResponse()
  exactly(t, plain, Buffer.from('before and after'), 6, 'clean')
})

part('a Range is not heeded: a part of what has no end cannot be had', async (t) => {
  const gateway = await startGateway(t)
  const sender = await openLive(gateway, 'd?live')
  const ranged = curl(['-i', '-H', 'Range: bytes=1000-', `${gateway.origin}/d`])
  await viewersOf(gateway, 'd', 1)
  await sender.send('all of it')
  await sender.end()
  t.match((await ranged.result).stdout.toString(), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nall of it$/)
})

part('viewers of HTTP/1.0: until the end of the connection, and a reset when it is cut', async (t) => {
  const gateway = await startGateway(t)
  for (const end of ['clean', 'cut'] as const) {
    const name = `e-${end}`
    const sender = await openLive(gateway, `${name}?live`)
    await sender.send('12345')
    await hasRead(gateway, name, 5)
    const old = curl(['--http1.0', '-N', '-i', `${gateway.origin}/${name}?live`])
    await viewersOf(gateway, name, 1)
    await sender.send('6789')
    await old.waitFor('6789')
    if (end === 'clean') await sender.end()
    else sender.client.reset()
    const { code, stdout } = await old.result
    t.match(stdout.toString(), /^HTTP\/1\.[01] 200 [\s\S]*\r\nX-Pipe-Offset: 5\r\n/)
    t.notMatch(stdout.toString(), /Transfer-Encoding/i)
    t.ok(stdout.toString().endsWith('6789'))
    t.equal(code === 0, end === 'clean', `curl exits with ${code}`)
  }
})

part('a viewer that leaves, by whatever way, changes nothing for anybody', async (t) => {
  const gateway = await startGateway(t)
  const sender = await openLive(gateway, 'f?live')
  const stays = await joined(gateway, 'f?live', 1)
  let sent = ''
  for (const way of ['destroy', 'reset', 'halfClose'] as const) {
    const leaves = await openViewer(gateway, 'f?live')
    await viewersOf(gateway, 'f', 2)
    await sender.send(`before ${way} `)
    await leaves.waitFor(`before ${way} `)
    leaves[way]()
    if (way === 'halfClose') leaves.destroy()
    await viewersOf(gateway, 'f', 1)
    await sender.send(`after ${way} `)
    sent += `before ${way} after ${way} `
    await stays.waitFor(`after ${way} `)
  }
  await sender.end()
  await stays.waitForResponse()
  exactly(t, stays, Buffer.from(sent), 0, 'clean')
  t.notMatch(sender.lines, /disconnected/, 'the sender is not told of each')
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 2 viewers).')
})

part('peak counts those who waited when the sender came, and not who had gone before', async (t) => {
  const gateway = await startGateway(t)
  const gone = await joined(gateway, 'g?live', 1)
  const stays = await joined(gateway, 'g?live', 2)
  gone.destroy()
  await viewersOf(gateway, 'g', 1)
  const { stdout } = await curlDone(['-T', '-', `${gateway.origin}/g?live`], { input: 'x' })
  t.equal(stdout.toString().trimEnd().split('\n').at(-1), '[INFO] Live stream ended (peak 1 viewers).')
  t.equal((await stays.waitForResponse()).body.toString(), 'x')
})
