/**
 * The native helper where the gateway's own tests are too lucky. The strict parser of native/reads.c, one byte at a time:
 * what it must refuse, and what it must not. Each body comes with its head, right behind it, and in two halves, because
 * three different places of the helper read those. And the accounts of native/writes.c, when the kernel takes nothing, a
 * part, or all.
 */

import type { HttpResponse } from 'uWebSockets.js'
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { installSocketHelper } from '../../../gateway/native/socket-helper.js'
import { serve } from '../../platform/app.js'
import { makeCertificate } from '../../support/certificate.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connectPeer } from '../../support/peer.js'
import { connect, parseResponse, type RawClient } from '../../support/raw.js'

const HEALTH = 'GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n'

/**
 * Sends these packets as one request, each in a read of its own: an answer to somebody who asks after a packet tells that
 * the packet has been read, for whoever came first is read first.
 */
async function sendPackets(gateway: Running, sender: RawClient, packets: readonly string[]): Promise<void> {
  const witness = await connect({ port: gateway.port })
  for (const packet of packets) {
    await sender.send(Buffer.from(packet, 'latin1'))
    const from = witness.receivedBytes
    await witness.send(HEALTH)
    await witness.waitForResponse({ from })
  }
  witness.destroy()
}

const head = (name: string) => `PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`

/** The ways in which a body comes. The last one cuts it in its middle. */
function waysToCome(name: string, body: string): string[][] {
  const middle = Math.floor(body.length / 2)
  return [[head(name) + body], [head(name), body], [head(name), body.slice(0, middle), body.slice(middle)]]
}

const WAYS = waysToCome('', '').length
let names = 0

/** A receiver and a sender of one name, and what the sender sends. */
async function transfer(gateway: Running, packetsOf: (name: string) => readonly string[]) {
  const name = `native-${names++}`
  const receiver = await connect({ port: gateway.port })
  await receiver.send(`GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await eventually(() => gateway.gateway.table.get(name) !== undefined || 'the receiver is not there')
  const sender = await connect({ port: gateway.port })
  await sendPackets(gateway, sender, packetsOf(name))
  return { name, receiver, sender }
}

/** What went wrong when this body was refused, in one of the ways to come. Undefined: nothing. */
async function takenForComplete(gateway: Running, body: string, way: number): Promise<string | undefined> {
  const { name, receiver, sender } = await transfer(gateway, (name) => waysToCome(name, body)[way]!)
  sender.halfClose()
  const reason = await gateway.ended(name)
  const response = () => (receiver.text.includes('\r\n\r\n') ? parseResponse(receiver.received) : undefined)
  await eventually(() => receiver.isClosed || response()?.complete === true || 'the receiver still hears nothing')
  const complete = response()?.status === 200 && response()?.complete
  receiver.destroy()
  sender.destroy()
  if (reason === 'complete' || complete) return `${JSON.stringify(body)}, way ${way}: ${reason}`
  return undefined
}

/** Bodies that must never look complete, all at once but for the number of connections. */
async function refused(gateway: Running, bodies: readonly string[]): Promise<string[]> {
  const wrong: string[] = []
  const cases = bodies.flatMap((body) => Array.from({ length: WAYS }, (_, way) => ({ body, way })))
  const work = async () => {
    for (let next = cases.pop(); next !== undefined; next = cases.pop()) {
      const problem = await takenForComplete(gateway, next.body, next.way)
      if (problem !== undefined) wrong.push(problem)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return wrong
}

t.test('one wrong byte anywhere in the framing, and the body never looks complete', async (t) => {
  const gateway = await startGateway(t)
  const body = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  const bodies: string[] = []
  for (let i = 0; i < body.length; i++) {
    if (/[a-e]/.test(body[i]!)) continue
    for (const wrong of ['X', ' ', '\r', '\n', ';', '\0']) {
      if (wrong !== body[i]) bodies.push(body.slice(0, i) + wrong + body.slice(i + 1))
    }
  }
  t.same(await refused(gateway, bodies), [], `${bodies.length} bodies`)
})

t.test('nothing may stand before the first size', async (t) => {
  const gateway = await startGateway(t)
  const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).filter((byte) => !/[0-9a-f]/i.test(byte))
  t.same(
    await refused(
      gateway,
      bytes.map((byte) => `${byte}3\r\nabc\r\n0\r\n\r\n`),
    ),
    [],
  )
})

t.test(
  'a size that nobody can count to is refused, and one that wraps around is not taken for a small one',
  async (t) => {
    const gateway = await startGateway(t)
    const sizes = [
      `${'0'.repeat(32)}3`,
      '20000000000000',
      '8000000000000003',
      '10000000000000003',
      'f0000000000000000000000000000003',
    ]
    const bodies = sizes.flatMap((size) => [`${size}\r\nabc\r\n0\r\n\r\n`, `1\r\nx\r\n${size}\r\nabc\r\n0\r\n\r\n`])
    t.same(await refused(gateway, bodies), [])
  },
)

t.test('the largest size is taken, and so is a small one with many zeros, wherever it is cut', async (t) => {
  const gateway = await startGateway(t)
  const largest = await transfer(gateway, (name) => [head(name), '1\r\nx\r\n', '1fffffffffffff\r\nabc'])
  await largest.receiver.waitFor('abc')
  t.equal(gateway.gateway.table.get(largest.name)?.state, 'streaming')
  largest.sender.destroy()
  t.equal(await gateway.ended(largest.name), 'sender_left')
  largest.receiver.destroy()

  const body = `${'0'.repeat(31)}3\r\nabc\r\n${'0'.repeat(31)}2\r\nde\r\n${'0'.repeat(32)}\r\n\r\n`
  for (let cut = 0; cut < body.length; cut++) {
    const packets = (name: string) => [head(name) + body.slice(0, cut), body.slice(cut)]
    const { receiver, sender, name } = await transfer(gateway, packets)
    const reason = await gateway.ended(name)
    if (reason !== 'complete') t.fail(`cut at ${cut}: ${reason}`)
    else if ((await receiver.waitForResponse()).body.toString() !== 'abcde') t.fail(`cut at ${cut}: ${receiver.text}`)
    receiver.destroy()
    sender.destroy()
  }
})

t.test('what stands behind a body is read as a request, whole, however the body ends', async (t) => {
  const gateway = await startGateway(t)
  const body = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  const check = async (cut: number) => {
    const packets = (name: string) => [head(name) + body.slice(0, cut), body.slice(cut) + HEALTH]
    const { receiver, sender, name } = await transfer(gateway, packets)
    t.equal(await gateway.ended(name), 'complete', `cut at ${cut}`)
    t.equal((await receiver.waitForResponse()).body.toString(), 'abcde', `cut at ${cut}`)
    // The request is answered when the response before it is over; until then uWebSockets closes the connection for it.
    await eventually(() => sender.isClosed || sender.text.includes('heldBytes') || 'nobody has read the request')
    t.notMatch(sender.text, /HTTP\/1\.1 (?!200)/, `cut at ${cut}: it is a request`)
    receiver.destroy()
    sender.destroy()
  }
  await Promise.all(Array.from({ length: body.length + 1 }, (_, cut) => check(cut)))
})

t.test('behind the last size a line break has to stand, however late it comes', async (t) => {
  const gateway = await startGateway(t)
  const cases = ['3\r\nabc\r\n', ''].flatMap((data) => [
    ['', `${data}0\r\n`],
    [`${data}0\r\n`],
    ['', `${data}0\r\n`, '\r'],
    [`${data}0\r\n\r`],
  ])
  /** The head comes with the first of these packets. */
  const comes = ([first, ...more]: readonly string[], last: string) =>
    transfer(gateway, (name) => [head(name) + first, ...more, last])
  const check = async (packets: readonly string[]) => {
    const missing = packets.at(-1)!.endsWith('\r') ? '\n' : '\r\n'
    const { name, receiver, sender } = await comes(packets, missing + HEALTH)
    t.equal(await gateway.ended(name), 'complete', JSON.stringify(packets))
    await eventually(() => sender.isClosed || sender.text.includes('heldBytes') || 'nobody has read the request')
    receiver.destroy()
    sender.destroy()
    for (const wrong of ['', 'x', 'xx', '\r\r', '\n\r', '\n\n'].filter((each) => !each.startsWith(missing))) {
      const { receiver, sender } = await comes(packets, wrong + HEALTH)
      await sender.waitForClose()
      t.notMatch(sender.text, /heldBytes|HTTP\/1\.1 [^2]/, JSON.stringify([...packets, wrong]))
      receiver.destroy()
    }
  }
  await Promise.all(cases.map(check))
})

t.test('who asks on and on and reads no answer is cut, and who reads them late is not', async (t) => {
  const gateway = await startGateway(t)
  const refused = 'GET /x?n=0 HTTP/1.1\r\nHost: x\r\n\r\n'
  const late = await connect({ port: gateway.port, pauseOnConnect: true })
  await late.send(refused.repeat(2000))
  await eventually(() => gateway.lines.length >= 2000 || `${gateway.lines.length} requests are answered`)
  late.resume()
  await eventually(() => late.text.split('[ERROR]').length > 2000 || 'answers are missing')
  late.destroy()

  const never = await connect({ port: gateway.port, pauseOnConnect: true })
  // More answers than a kernel keeps.
  for (let i = 0; i < 200 && !never.isClosed; i++) await never.send(refused.repeat(1000))
  // Whoever does not read is not told of the end, but his next bytes are.
  await eventually(async () => {
    await never.send(refused)
    return never.errorCode !== undefined || 'the connection is still open'
  })
})

t.test('over TLS, too, who asks on and on and reads no answer is cut', async (t) => {
  const { cert, key } = makeCertificate(t.testdir({}))
  const gateway = await startGateway(t, { tlsCert: cert, tlsKey: key })
  const peer = await connectPeer({ port: gateway.port, tls: true, onBytes: () => {} })
  peer.pause()
  const refused = 'GET /x?n=0 HTTP/1.1\r\nHost: x\r\n\r\n'
  for (let i = 0; i < 100 && !peer.isClosed; i++) await peer.send(refused.repeat(1000))
  await eventually(async () => {
    await peer.send(refused)
    return peer.errorCode !== undefined || peer.isClosed || 'the connection is still open'
  })
  peer.leave('destroy')
})

t.test('the end of a head is not taken for an empty body', async (t) => {
  const gateway = await startGateway(t)
  // The head is cut inside a value: what follows reads like the end of a body, but it is the end of the head.
  const packets = (name: string) => [`${head(name).slice(0, -2)}X: 1`, '0\r\n\r\n\r\n']
  const { name, receiver, sender } = await transfer(gateway, packets)
  sender.halfClose()
  t.not(await gateway.ended(name), 'complete')
  receiver.destroy()
  sender.destroy()
})

const MIB = 1024 * 1024
const NOTHING = () => {}

/** A response in the test's own hands, to a client that does not read yet. */
async function openResponse(t: Test) {
  const { sockets } = installSocketHelper(true)
  let opened: { res: HttpResponse; socket: number } | undefined
  const server = await serve(t, (app) => {
    app.get('/', (res) => {
      opened = { res, socket: sockets.currentSocket() }
      res.onAborted(NOTHING)
      // Nothing leaves by itself then.
      res.onWritable(() => true)
      res.write('begun')
    })
  })
  const client = await connect({ port: server.port, pauseOnConnect: true })
  t.teardown(() => client.destroy())
  await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => opened !== undefined || 'no response has begun')
  return { ...opened!, client, sockets }
}

type Opened = Awaited<ReturnType<typeof openResponse>>

const write = ({ res }: Opened, bytes: Buffer) => void res.cork(() => void res.write(bytes))

/** Resolves when the kernel takes bytes again. */
function hasRoom({ sockets, socket }: Opened): Promise<void> {
  return eventually(() => sockets.hasRoom(socket, 2 ** 31 - 1) || 'there is no room')
}

async function flushAll(response: Opened): Promise<void> {
  await eventually(() => {
    response.res.cork(NOTHING)
    return response.sockets.sentAll(response.socket) === true || 'not all has been sent'
  })
}

async function endsWith(t: Test, { client, res }: Opened, body: Buffer): Promise<void> {
  res.cork(() => void res.end())
  const response = await client.waitForResponse()
  t.ok(response.body.equals(Buffer.concat([Buffer.from('begun'), body])), 'every byte, in its order')
}

t.test('what is due of a chunk leaves before anything else, however it is given', async (t) => {
  const response = await openResponse(t)
  const { client, sockets, socket } = response
  t.ok(sockets.joinChunks(socket))
  const body = randomBytes(16 * MIB)
  write(response, body)
  t.equal(sockets.sentAll(socket), false)
  let due = sockets.bytesDue(socket)
  t.ok(due > MIB, `${due} bytes are due`)
  t.equal(sockets.sendDue(socket, body.subarray(-due)), 0, 'there is no room')
  client.resume()
  for (let step = 0; due > 1; step++) {
    await hasRoom(response)
    response.res.cork(NOTHING)
    // Sometimes the very last byte as well, which is not for sendDue.
    const given = body.subarray(-due).subarray(0, step % 2 === 0 ? 1000 * (step + 1) : due)
    due -= sockets.sendDue(socket, given)
    if (sockets.bytesDue(socket) !== (due === 1 ? 0 : due)) t.fail(`${sockets.bytesDue(socket)} due, not ${due}`)
  }
  t.equal(due, 1, 'uWebSockets has the last one')
  await flushAll(response)
  await endsWith(t, response, body)
})

t.test('a descriptor that is used again owes nothing', async (t) => {
  const { sockets } = installSocketHelper(true)
  const opened: { res: HttpResponse; socket: number; gone: boolean }[] = []
  const server = await serve(t, (app) => {
    app.get('/', (res) => {
      const response = { res, socket: sockets.currentSocket(), gone: false }
      opened.push(response)
      res.onAborted(() => {
        response.gone = true
      })
      res.onWritable(() => true)
      res.write('begun')
    })
  })
  const open = async () => {
    const client = await connect({ port: server.port, pauseOnConnect: true })
    t.teardown(() => client.destroy())
    const count = opened.length
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventually(() => opened.length > count || 'no response has begun')
    return { client, response: opened[count]! }
  }
  const first = await open()
  const { socket, res } = first.response
  t.ok(sockets.joinChunks(socket))
  res.cork(() => void res.write(randomBytes(16 * MIB)))
  t.ok(sockets.bytesDue(socket) > 0)
  first.client.reset()
  await eventually(() => first.response.gone || 'the connection is still there')
  // The lowest free number is taken, and this process has the clients too.
  let next = await open()
  for (let tries = 0; next.response.socket !== socket && tries < 50; tries++) next = await open()
  t.equal(next.response.socket, socket, 'the same descriptor')
  t.equal(sockets.bytesDue(socket), 0)
  t.equal(sockets.sentAll(socket), true)
  next.client.resume()
  await next.client.waitFor('begun')
})

t.test('a small chunk that the kernel took a part of is left to uWebSockets', async (t) => {
  for (let round = 0; round < 6; round++) {
    const response = await openResponse(t)
    const { client, sockets, socket } = response
    t.ok(sockets.joinChunks(socket))
    const pieces: Buffer[] = []
    while (sockets.sentAll(socket) === true) {
      const piece = randomBytes(12_000 + 500 * round)
      pieces.push(piece)
      write(response, piece)
    }
    // Nobody would ask what is due: to whoever wrote it, all of the chunk was taken.
    response.res.cork(NOTHING)
    t.equal(sockets.bytesDue(socket), 0)
    client.resume()
    await flushAll(response)
    await endsWith(t, response, Buffer.concat(pieces))
  }
})

/** A response whose joined chunk waits as a whole. Undefined: the kernel has found room for some of it. */
async function openWithAllDue(t: Test, body: Buffer): Promise<Opened | undefined> {
  const response = await openResponse(t)
  const { sockets, socket } = response
  t.ok(sockets.joinChunks(socket))
  // The kernel is filled to its last byte behind the back of uWebSockets, with something that is easy to find again.
  while (sockets.hasRoom(socket, 2 ** 31 - 1)) sockets.sendContinue(socket)
  for (let before = 0; sockets.queued(socket) > before; ) {
    before = sockets.queued(socket)
    for (let i = 0; i < 1000; i++) sockets.sendContinue(socket)
  }
  write(response, body)
  return sockets.bytesDue(socket) === body.length ? response : undefined
}

t.test('a chunk of which the kernel takes nothing, not even its line', async (t) => {
  const body = randomBytes(100_000)
  let response: Opened | undefined
  for (let tries = 0; response === undefined && tries < 20; tries++) response = await openWithAllDue(t, body)
  if (response === undefined) return t.fail('the kernel always takes some of it')
  const { client, res, sockets, socket } = response
  client.resume()
  await hasRoom(response)
  t.equal(sockets.sendDue(socket, body), body.length - 1)
  await flushAll(response)
  res.cork(() => void res.end())
  await eventually(() => client.text.endsWith('\r\n0\r\n\r\n') || 'the response has no end')
  const { text, received } = client
  const filled = text.indexOf('HTTP/1.1 100')
  const wire = Buffer.concat([received.subarray(0, filled), received.subarray(text.indexOf('\r\n186a0\r\n', filled))])
  t.ok(parseResponse(wire).body.equals(Buffer.concat([Buffer.from('begun'), body])), 'the line, and then every byte')
})

t.test('chunks are not joined while bytes wait in the buffer of uWebSockets', async (t) => {
  const response = await openResponse(t)
  const { client, sockets, socket } = response
  const body = randomBytes(32 * MIB)
  for (let at = 0; at < body.length; at += MIB / 128) write(response, body.subarray(at, at + MIB / 128))
  t.notOk(sockets.joinChunks(socket))
  client.resume()
  await flushAll(response)
  t.ok(sockets.joinChunks(socket))
  await endsWith(t, response, body)
})
