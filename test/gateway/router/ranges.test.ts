/** Downloads that go on where they were cut: what receivers with a `Range` are answered. */
import { createHash, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startDefaultGateway, startGateway } from '../../support/gateway.js'
import type { RawClient, RawResponse } from '../../support/raw.js'

const MIB = 1024 * 1024

async function ask(gw: Running, line: string, ...headers: string[]): Promise<RawClient> {
  const client = await gw.connect()
  const version = headers.includes('HTTP/1.0') ? 'HTTP/1.0' : 'HTTP/1.1'
  const fields = ['Host: x', ...headers.filter((each) => each !== version)]
  await client.send(`${line} ${version}\r\n${fields.join('\r\n')}\r\n\r\n`)
  return client
}

/** A sender of these bytes, whose length is announced. */
async function send(gw: Running, target: string, body: Uint8Array | string): Promise<RawClient> {
  const client = await ask(gw, `PUT ${target}`, `Content-Length: ${body.length}`)
  await client.send(body)
  return client
}

/** What a receiver with these headers gets of `0123456789`. */
async function received(gw: Running, receiverFirst: boolean, ...headers: string[]): Promise<RawResponse> {
  const sides: RawClient[] = []
  const join = async (isReceiver: boolean) => {
    const side = isReceiver ? await ask(gw, 'GET /r', ...headers) : await send(gw, '/r', '0123456789')
    sides[isReceiver ? 0 : 1] = side
  }
  await join(receiverFirst)
  await gw.holds(1, 0)
  await join(!receiverFirst)
  const response = await sides[0]!.waitForResponse()
  await sides[1]!.waitFor('Transfer complete.')
  for (const side of sides) side.destroy()
  return response
}

const of = ({ status, headers, body }: RawResponse) => ({
  status,
  range: headers['content-range']?.[0],
  length: headers['content-length']?.[0],
  accepts: headers['accept-ranges']?.[0],
  body: body.toString(),
})
const WHOLE = { status: 200, range: undefined, length: '10', accepts: 'bytes', body: '0123456789' }
const from = (first: number) => ({
  ...{ status: 206, range: `bytes ${first}-9/10`, length: `${10 - first}`, accepts: 'bytes' },
  body: '0123456789'.slice(first),
})

t.test('the rest of the stream, for a range that reaches to its end', async (t) => {
  const gw = await startGateway(t)
  for (const receiverFirst of [true, false]) {
    for (const [value, first] of [
      ['bytes=4-', 4],
      ['bytes=9-', 9],
      ['bytes=0-', 0],
      ['Bytes=004-', 4],
      ['bytes= 4-', 4],
      // aria2 names the last byte.
      ['bytes=4-9', 4],
      ['bytes=4-99999999999999999999', 4],
    ] as const) {
      const http10 = await received(gw, receiverFirst, `Range: ${value}`, 'HTTP/1.0')
      t.same(of(await received(gw, receiverFirst, `Range: ${value}`)), from(first), value)
      t.same(of(http10), from(first), `${value} in HTTP/1.0`)
    }
  }
})

t.test('every other range is ignored', async (t) => {
  const gw = await startGateway(t)
  for (const headers of [
    ['Range: bytes=-4'],
    ['Range: bytes=4-8'],
    ['Range: bytes=0-0'],
    ['Range: bytes=9-4'],
    ['Range: bytes=4-,6-'],
    ['Range: bytes=4-5,6-'],
    ['Range: bytes=4-', 'Range: bytes=5-'],
    ['Range: bytes=4'],
    ['Range: bytes 4-'],
    ['Range: bytes=4-x'],
    ['Range: bytes=+4-'],
    ['Range: bytes=0x4-'],
    ['Range: items=4-'],
    ['Range: 4-'],
    ['Range:'],
    ['Range: bytes=4-', 'If-Range: "an etag"'],
    ['If-Range: Sat, 28 Nov 2026 20:00:00 GMT', 'Range: bytes=20-'],
  ]) {
    t.same(of(await received(gw, true, ...headers)), WHOLE, headers.join(', '))
    t.same(of(await received(gw, false, ...headers)), WHOLE, headers.join(', '))
  }
})

t.test('a worker gets the whole job, whichever part it asks for', async (t) => {
  const gw = await startGateway(t)
  for (const workerFirst of [true, false]) {
    const worker = () => ask(gw, 'GET /q?queue', 'Range: bytes=4-')
    const producer = () => send(gw, '/q?queue', '0123456789')
    const first = await (workerFirst ? worker : producer)()
    await gw.holds(1, 0)
    const second = await (workerFirst ? producer : worker)()
    const response = await (workerFirst ? first : second).waitForResponse()
    t.same(of(response), { ...WHOLE, accepts: undefined })
    for (const side of [first, second]) side.destroy()
  }
})

t.test('a stream without a length begins at its first byte', async (t) => {
  const gw = await startGateway(t)
  for (const [type, body] of [
    ['text/plain', 'hello'],
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nhello\r\n--b--\r\n',
    ],
  ] as const) {
    const receiver = await ask(gw, 'GET /c', 'Range: bytes=3-')
    await gw.holds(1, 0)
    const sender = await ask(gw, 'PUT /c', `Content-Type: ${type}`, 'Transfer-Encoding: chunked')
    await sender.send(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
    const response = of(await receiver.waitForResponse())
    t.match(response, { status: 200, range: undefined, accepts: undefined, body: 'hello' })
    await sender.waitFor('Transfer complete.')
    for (const client of [receiver, sender]) client.destroy()
  }
  const receiver = await ask(gw, 'GET /e', 'Range: bytes=0-')
  const sender = await send(gw, '/e', '')
  t.match(
    of(await receiver.waitForResponse()),
    { status: 200, range: undefined, length: '0' },
    'nothing, from its start',
  )
  await sender.waitFor('Transfer complete.')
  for (const client of [receiver, sender]) client.destroy()
})

t.test('a receiver that came first and has all of it is told so, and its place is free', async (t) => {
  const gw = await startGateway(t)
  for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
    const beyond = await ask(gw, 'GET /f?n=2', 'Range: bytes=10-', 'Accept: application/json', version)
    await gw.holds(1, 0)
    const other = await ask(gw, 'GET /f?n=2', 'Range: bytes=5-', version)
    await eventually(() => gw.gateway.table.get('f')?.receiversPresent === 2 || 'not both are there')
    const sender = await send(gw, '/f?n=2', '0123456789')
    const { status, headers, body } = await beyond.waitForResponse()
    t.same([status, headers['content-range'], headers['x-pipe-code']], [416, ['bytes */10'], ['RANGE_BEYOND_END']])
    t.equal(JSON.parse(body.toString()).error.code, 'RANGE_BEYOND_END')
    t.equal(other.receivedBytes, 0, 'the other one waits on')
    await sender.waitFor('1 receiver(s) already connected.')
    if (version === 'HTTP/1.1') {
      await beyond.send('GET /f?n=2 HTTP/1.1\r\nHost: x\r\nRange: bytes=9-\r\n\r\n')
    } else {
      beyond.destroy()
    }
    const third = version === 'HTTP/1.1' ? beyond : await ask(gw, 'GET /f?n=2', 'Range: bytes=9-')
    t.same(of(await other.waitForResponse()), from(5))
    await third.waitFor('bytes 9-9/10')
    await sender.waitFor('Transfer complete.')
    for (const client of [beyond, other, third, sender]) client.destroy()
  }
  const logged = gw.lines.filter(({ msg, code }) => msg === 'request' && code === 'RANGE_BEYOND_END')
  t.same(
    logged.map(({ status }) => status),
    [416, 416],
  )
})

t.test('with ?download, ?filename, ?sha256 and Content-Encoding, and the log counts what was sent', async (t) => {
  const gw = await startGateway(t)
  const receiver = await ask(gw, 'GET /d?filename=rest.bin&sha256', 'Range: bytes=6-')
  await gw.holds(1, 0)
  const sender = await ask(gw, 'PUT /d', 'Content-Length: 10', 'Content-Encoding: gzip', 'X-Piping: x')
  await sender.send('0123456789')
  const response = await receiver.waitForResponse()
  t.same(of(response), from(6))
  t.same(response.headers['content-disposition'], ['attachment; filename=rest.bin'])
  t.same(response.headers['content-encoding'], ['gzip'])
  await sender.waitFor(`SHA-256: ${createHash('sha256').update('0123456789').digest('hex')}`)
  await sender.waitFor('Transfer complete.')
  await gw.ended('d')
  const [transfer] = gw.lines.filter(({ msg }) => msg === 'transfer')
  t.match(transfer, { bytesIn: 10, bytesOut: 10, bytesSkipped: 6 })
  const [request] = gw.lines.filter(({ msg, method }) => msg === 'request' && method === 'GET')
  t.match(request, { status: 206, bytesOut: 4 })
  for (const client of [receiver, sender]) client.destroy()
})

async function large(t: Test, gw: Running): Promise<void> {
  const { slabs, table } = gw.gateway
  const body = randomBytes(24 * MIB)
  const offsets = [0, 1, 5 * MIB + 1, 24 * MIB - 1]
  const receivers = await Promise.all(
    offsets.map((offset) => ask(gw, `GET /l?n=${offsets.length}`, `Range: bytes=${offset}-`)),
  )
  await eventually(() => table.get('l')?.receiversPresent === offsets.length || 'not all are there')
  // The one that wants everything reads nothing for now: the others are given what the window allows.
  receivers[0]!.pause()
  const sender = await ask(gw, `PUT /l?n=${offsets.length}`, `Content-Length: ${body.length}`)
  const sending = sender.send(body)
  await eventually(() => (table.get('l')?.bytesSkipped ?? 0) > 2 * MIB || 'nothing is skipped')
  let before = -1
  await eventually(
    () => {
      const now = table.get('l')!.bytesIn
      const stands = now === before
      before = now
      return stands || `${now} bytes, and more are read`
    },
    { everyMs: 300 },
  )
  t.ok(before < body.length, 'the sender waits for the slow one')
  t.ok(slabs.heldBytes <= 2 * MIB, `${slabs.heldBytes} bytes are held`)
  receivers[0]!.resume()
  await sending
  for (const [i, receiver] of receivers.entries()) {
    const { body: got, status } = await receiver.waitForResponse({ timeoutMs: 30_000 })
    t.equal(status, 206)
    t.equal(Buffer.compare(got, body.subarray(offsets[i])), 0, `the bytes from ${offsets[i]} on`)
  }
  await sender.waitFor('Transfer complete.')
  t.equal(slabs.heldBytes, 0)
  for (const client of [...receivers, sender]) client.destroy()
}

t.test('several receivers, each from its own byte, and one of them slow', async (t) => {
  await large(t, await startGateway(t, {}, { tls: false }))
})

t.test('the same over TLS', async (t) => {
  await large(t, await startGateway(t, {}, { tls: true }))
})

t.test('a transfer that fails while a receiver skips is told to it', async (t) => {
  const gw = await startGateway(t)
  for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
    const receiver = await ask(gw, 'GET /x', 'Range: bytes=900-', version)
    await gw.holds(1, 0)
    const sender = await ask(gw, 'PUT /x', 'Content-Length: 1000')
    await sender.send('y'.repeat(500))
    await eventually(() => gw.gateway.table.get('x')?.bytesIn === 500 || 'it has not been read')
    sender.destroy()
    await receiver.waitFor('[ERROR]')
    t.match(receiver.text, /^HTTP\/1\.[01] 502 /)
    t.notMatch(receiver.text, 'yy', 'not one byte of what it skips')
  }
})

t.test('progress follows the stream, also while it is skipped', async (t) => {
  const gw = await startDefaultGateway(t)
  const receiver = curl(['-C', '600', '-o', '/dev/null', gw.url('p')])
  await gw.holds(1, 0)
  const sender = await ask(gw, 'PUT /p', 'Content-Length: 1000')
  await sender.send('y'.repeat(500))
  const status = async () => JSON.parse((await curlDone([gw.url('p?status')])).stdout.toString())
  await eventually(async () => (await status()).bytes === 500 || 'it has not come')
  t.match(await status(), { state: 'streaming', bytes: 500, totalBytes: 1000 })
  await sender.send('y'.repeat(500))
  await sender.waitFor('Transfer complete.')
  t.match(await status(), { state: 'complete', bytes: 1000, totalBytes: 1000 })
  t.equal((await receiver.result).code, 0)
  const metrics = (await curlDone([gw.url('metrics')])).stdout.toString()
  t.match(metrics, /^pipegate_sent_bytes_total 400$/m, 'what is skipped is not sent')
  sender.destroy()
})
