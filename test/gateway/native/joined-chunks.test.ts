/** The accounts of native/writes.c for chunks of which the kernel takes nothing, a part, or all. */

import type { HttpResponse } from 'uWebSockets.js'
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { installSocketHelper } from '../../../gateway/native/socket-helper.js'
import { serve } from '../../platform/app.js'
import { eventually } from '../../support/eventually.js'
import { connect, parseResponse } from '../../support/raw.js'

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

t.test('what is due of a chunk leaves before anything else, in whatever pieces it is given', async (t) => {
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

t.test('nothing is due on a descriptor that is used again', async (t) => {
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

t.test('a small chunk of which the kernel took a part is left to uWebSockets', async (t) => {
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
  while (sockets.hasRoom(socket, 2 ** 31 - 1)) sockets.sendInterim(socket, 100)
  for (let before = 0; sockets.queued(socket) > before; ) {
    before = sockets.queued(socket)
    for (let i = 0; i < 1000; i++) sockets.sendInterim(socket, 100)
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

t.test('between two chunks a client is asked by parts of the next size line, a few times for each', async (t) => {
  const response = await openResponse(t)
  const { client, sockets, socket, res } = response
  client.resume()
  t.notOk(sockets.askInBody(socket), 'not while uWebSockets writes these lines')
  t.ok(sockets.joinChunks(socket))
  const ask = (most: number): number => {
    let times = 0
    while (times < most && sockets.askInBody(socket)) times++
    return times
  }
  const bodies = [1, 0x1234, 70_000, 16].map((bytes) => randomBytes(bytes))
  const asked: number[] = []
  for (const [i, body] of bodies.entries()) {
    asked.push(ask(i === 1 ? 1 : 100))
    write(response, body)
    await flushAll(response)
  }
  t.same(asked, [8, 1, 8, 8], 'by a line break, and by zeros')
  t.equal(ask(3), 3)
  res.cork(() => void res.end())
  const { body, complete } = await client.waitForResponse()
  t.ok(complete && body.equals(Buffer.concat([Buffer.from('begun'), ...bodies])), 'every byte, in its order')
  for (const line of ['0000001', '1234', '00000011170', '00000010', '00'])
    t.ok(client.text.includes(`\r\n${line}\r\n`), line)
})
