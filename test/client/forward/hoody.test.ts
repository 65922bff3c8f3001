/** `--via ws` and a peer that speaks as Hoody's `forwardTcp` does. */

import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { startProgram } from '../../support/program.js'
import { joins } from './hoody-peer.js'
import { client, Forward, Peer, startPair, startPipingServer, startService } from './rig.js'

t.setTimeout(120_000)

const gateway = await startProgram(t)
const server = new URL(gateway.base).origin
const UP = randomBytes(3_000_001)
const DOWN = randomBytes(2_500_003)

/** A forward to a service, and what the service gets. */
async function connects(t: Test, name: string, onSocket: (socket: Socket) => void) {
  const fars: Peer[] = []
  const target = await startService(t, (socket) => {
    fars.push(new Peer(socket))
    onSocket(socket)
  })
  const forward = new Forward(t, ['--via', 'ws', '--connect', `${target}`, name], { server })
  await forward.tells('way')
  const far = async () => {
    await eventually(() => fars.length > 0 || `nobody was connected to the service: ${forward.text}`)
    return fars.shift()!
  }
  return { forward, far }
}

async function listens(t: Test, name: string) {
  const forward = new Forward(t, ['--via', 'ws', '--listen', '0', name], { server })
  return { forward, port: await forward.port() }
}

/** Nobody comes for it, which takes its time. */
const silent = await listens(t, 'silent').then(({ forward, port }) => ({ forward, near: client(t, port) }))

t.test(
  '--connect: byte-exact both ways, each direction with its own end, one connection after the other',
  async (t) => {
    const { forward, far } = await connects(t, 'connect', (socket) => void socket.on('end', () => socket.end(DOWN)))
    for (let number = 1; number <= 3; number++) {
      const peer = await joins(t, server, 'connect')
      peer.hello()
      peer.say(UP)
      const service = await far()
      await eventually(() => service.bytes === UP.length || `${service.bytes} bytes`)
      t.equal(service.over, undefined)
      t.equal(peer.isEnded, false)
      peer.fin()
      t.equal(await service.ended, 'end')
      t.ok(service.read.equals(UP))
      await peer.isClosed(1000, '', t)
      t.ok(peer.isEnded)
      t.ok(peer.read.equals(DOWN))
      t.equal(peer.acked, peer.sent, 'all of it is acknowledged')
      t.match(await forward.tells('closed', number), { connection: number, sent: DOWN.length, received: UP.length })
    }
    t.equal(forward.news('cut').length, 0)
  },
)

t.test('--listen: the same', async (t) => {
  const { forward, port } = await listens(t, 'listen')
  for (let number = 1; number <= 3; number++) {
    const near = client(t, port)
    near.socket.end(UP)
    const peer = await joins(t, server, 'listen')
    peer.hello()
    await eventually(() => peer.isEnded || `${peer.bytes} bytes`)
    t.ok(peer.read.equals(UP))
    t.equal(near.over, undefined)
    peer.say(DOWN)
    peer.fin()
    t.equal(await near.ended, 'end')
    t.ok(near.read.equals(DOWN))
    await peer.isClosed(1000, '', t)
    t.match(await forward.tells('closed', number), { way: undefined, sent: UP.length, received: DOWN.length })
  }
})

t.test('nothing leaves before the hello of the other side', async (t) => {
  const { port } = await listens(t, 'early')
  const near = client(t, port)
  near.socket.write('word')
  const peer = await joins(t, server, 'early')
  await eventually(() => peer.hellos === 1 || 'no hello')
  t.equal(peer.bytes, 0)
  peer.hello()
  await eventually(() => peer.read.toString() === 'word' || peer.read.toString())
})

t.test('who acknowledges nothing gets a window and no more, and the program is not read', async (t) => {
  const { port } = await listens(t, 'stuck')
  const near = client(t, port)
  const peer = await joins(t, server, 'stuck')
  peer.acknowledges = false
  peer.hello()
  const bytes = randomBytes(48 * 1024 * 1024)
  near.socket.end(bytes)
  await eventually(() => peer.owed > 1_048_576 - 65_600 || `${peer.owed} units`)
  const left = near.socket.writableLength
  t.ok(left > 0, 'the writer waits')
  // The other direction is free.
  peer.say(Buffer.from('free'))
  await eventually(() => near.read.toString() === 'free' || near.read.toString())
  t.ok(peer.owed <= 1_048_576, `${peer.owed} units`)
  peer.acknowledges = true
  peer.acknowledge()
  await eventually(() => peer.isEnded || `${peer.bytes} bytes`, { timeoutMs: 20_000 })
  t.ok(peer.read.equals(bytes))
})

t.test('a service that does not read: the other side is held, and nothing is stored', async (t) => {
  const { far } = await connects(t, 'slow', (socket) => void socket.pause())
  const peer = await joins(t, server, 'slow')
  peer.hello()
  const bytes = randomBytes(48 * 1024 * 1024)
  peer.say(bytes)
  peer.fin()
  const service = await far()
  // Until nothing is acknowledged any more: what two sockets of the system hold is.
  let before = -1
  await eventually(
    () => {
      const isQuiet = peer.acked === before && peer.acked > 0
      before = peer.acked
      return isQuiet || `${peer.acked} units are acknowledged`
    },
    { everyMs: 500 },
  )
  t.ok(peer.sent - peer.acked <= 1_048_576)
  t.ok(peer.sent < bytes.length, `${peer.sent} units have left`)
  service.socket.resume()
  t.equal(await service.ended, 'end')
  t.ok(service.read.equals(bytes))
})

type Breaks = (peer: Awaited<ReturnType<typeof joins>>) => void

const CUTS: Readonly<Record<string, readonly [breaks: Breaks, why: RegExp]>> = {
  'a peer that vanishes': [(peer) => peer.ws.terminate(), /the other side is gone/],
  'a clean close before its end': [(peer) => peer.ws.close(1000), /the other side is gone/],
  'a clean close behind its end, while the program has not ended': [
    (peer) => {
      peer.fin()
      peer.ws.close(1000)
    },
    /the other side is gone/,
  ],
  'a lost connection over there': [(peer) => peer.ws.close(4001, 'Gone.'), /has lost its connection \(Gone\.\)/],
}

for (const [what, [breaks, why]] of Object.entries(CUTS)) {
  t.test(`${what}, is a cut`, async (t) => {
    const { forward, port } = await listens(t, 'cut')
    const near = client(t, port)
    near.socket.write('up')
    const peer = await joins(t, server, 'cut')
    peer.hello()
    peer.say(Buffer.from('down'))
    await eventually(() => (near.bytes === 4 && peer.bytes === 2) || 'nothing came')
    breaks(peer)
    // An end that has been said is one, and nobody reads behind it.
    t.equal(await near.ended, /behind its end/.test(what) ? 'end' : 'cut')
    const cut = await forward.tells('cut')
    t.match(cut, { why, sent: 2, received: 4 })
    near.socket.write('x')
    await eventually(() => near.socket.closed || 'it is open')
    t.ok(near.socket.errored, 'the program is told by a reset')
  })
}

t.test('all has come and both have said their end, but not all is acknowledged: a cut', async (t) => {
  const { forward, port } = await listens(t, 'unsure')
  const near = client(t, port)
  const peer = await joins(t, server, 'unsure')
  peer.acknowledges = false
  peer.hello()
  near.socket.end('up')
  await eventually(() => peer.isEnded || 'no end')
  peer.ws.close(1000)
  t.equal(await near.ended, 'cut')
  t.match(await forward.tells('cut'), { why: 'the other side is gone' })
})

t.test('what breaks here is told there: 4001', async (t) => {
  const { port } = await listens(t, 'reset')
  const near = client(t, port)
  const peer = await joins(t, server, 'reset')
  peer.hello()
  near.socket.write('word')
  await eventually(() => peer.bytes === 4 || 'nothing came')
  near.socket.resetAndDestroy()
  await peer.isClosed(4001, /program/, t)

  const nobody = await freePort()
  const forward = new Forward(t, ['--via', 'ws', '--connect', `${nobody}`, 'nobody'], { server })
  const calling = await joins(t, server, 'nobody')
  calling.hello()
  await calling.isClosed(4001, /service/, t)
  t.match(await forward.tells('refused'), { why: `127.0.0.1:${nobody}: connection refused` })
})

const FAULTS: Readonly<Record<string, readonly [does: Breaks, reason: RegExp]>> = {
  'an empty frame': [(peer) => peer.ws.send(Buffer.alloc(0)), /a frame of 0 bytes/],
  'a frame of more than 64 KiB': [(peer) => peer.ws.send(Buffer.alloc(65_537)), /a frame of 65537 bytes/],
  'a second hello': [(peer) => peer.hello(), /second hello/],
  'an acknowledgement of what was never sent': [(peer) => peer.tell({ t: 'ack', n: 1 }), /more was acknowledged/],
  'a negative acknowledgement': [(peer) => peer.tell({ t: 'ack', n: -1 }), /not what a forward/],
  'a text that says nothing': [(peer) => peer.ws.send('hello'), /not what a forward/],
  'bytes behind the end': [
    (peer) => {
      peer.fin()
      peer.say(Buffer.from('x'))
    },
    /behind the end/,
  ],
  'a second end': [
    (peer) => {
      peer.fin()
      peer.fin()
    },
    /second end/,
  ],
  'more than the window': [
    (peer) => {
      for (let i = 0; i < 400; i++) peer.ws.send(Buffer.alloc(65_536))
    },
    /window/,
  ],
}

t.test('who breaks the protocol is told so with 4002, and the next one is served', async (t) => {
  const { forward, far } = await connects(t, 'faults', (socket) => void socket.pause())
  let cuts = 0
  for (const [what, [does, reason]] of Object.entries(FAULTS)) {
    const peer = await joins(t, server, 'faults')
    peer.hello()
    const service = await far()
    does(peer)
    await peer.isClosed(4002, reason, t)
    service.socket.resume()
    t.equal(await service.ended, /end$/.test(what) ? 'end' : 'cut', what)
    t.match(await forward.tells('cut', ++cuts), { why: reason })
  }
})

t.test('what comes before a hello is none, and another version is not spoken', async (t) => {
  const { forward } = await connects(t, 'greets', () => {})
  for (const first of [Buffer.from('x'), '{"t":"fin"}', '{']) {
    const peer = await joins(t, server, 'greets')
    peer.ws.send(first)
    await peer.isClosed(4002, /hello|not what a forward/, t)
  }
  await forward.tells('trouble', 3)
  const peer = await joins(t, server, 'greets')
  peer.hello(2)
  const { code, text } = await forward.ends()
  t.equal(code, 1, text)
  t.match(text, /speaks version 2 of Hoody's forward, and this one 1/)
})

t.test('two of ours: one connection waits for the other, and all of them are carried', async (t) => {
  const target = await startService(t, (socket) => socket.pipe(socket))
  const flags = ['--via', 'ws']
  const { port, listener } = await startPair(t, { server, target: `${target}`, name: 'ours', flags })
  const peers = Array.from({ length: 5 }, () => client(t, port))
  for (const peer of peers) peer.socket.end(UP)
  for (const peer of peers) {
    t.equal(await peer.ended, 'end')
    t.ok(peer.read.equals(UP))
  }
  await listener.tells('closed', 5)
  t.ok(listener.news('opened').every(({ way }) => way === 'ws'))
})

t.test('the gateway goes and comes back', async (t) => {
  const port = await freePort()
  const start = () => startProgram(t, ['--port', `${port}`])
  const first = await start()
  const target = await startService(t, (socket) => socket.pipe(socket))
  const pair = await startPair(t, {
    server: new URL(first.base).origin,
    target: `${target}`,
    name: 'back',
    flags: ['--via', 'ws'],
  })
  const near = client(t, pair.port)
  near.socket.write('word')
  await eventually(() => near.bytes === 4 || 'nothing came back')
  first.kill('SIGKILL')
  t.equal(await near.ended, 'cut')
  await pair.connector.tells('trouble')
  await start()
  const again = client(t, pair.port)
  again.socket.end('again')
  t.equal(await again.ended, 'end', `${pair.connector.text}${pair.listener.text}`)
  t.equal(again.read.toString(), 'again')
})

t.test('nobody comes, there is no place, or the server has no WebSockets', async (t) => {
  const ends = async (args: readonly string[], at = server) =>
    new Forward(t, ['--via', 'ws', ...args], { server: at }).ends()
  const late = await ends(['--connect', '1', 'alone', '--wait', '1'])
  t.equal(late.code, 3, late.text)
  const misused = await ends(['--listen', '0', 'alone', '--wait', '1'])
  t.equal(misused.code, 2, misused.text)
  t.match(misused.text, /--wait goes with --connect/)
  await joins(t, server, 'full')
  await joins(t, server, 'full')
  const full = await ends(['--connect', '1', 'full'])
  t.equal(full.code, 2, full.text)
  t.match(full.text, /Two others are on this name already: full\./)
  t.equal(await silent.near.ended, 'cut')
  t.match(await silent.forward.tells('refused'), { why: 'the other side is not there' })
})

t.test('--via duplex and pipes: that one, or none', async (t) => {
  const target = await startService(t, (socket) => socket.pipe(socket))
  const { port, listener } = await startPair(t, { server, target: `${target}`, name: 'p', flags: ['--via', 'pipes'] })
  const near = client(t, port)
  near.socket.end('word')
  t.equal(await near.ended, 'end')
  t.match(listener.news('opened')[0], { way: 'pipes' })
  const both = await startPair(t, { server, target: `${target}`, name: 'd', flags: ['--via', 'duplex'] })
  t.match(both.listener.news('way')[0], { way: 'duplex' })

  const piping = await startPipingServer(t)
  const wanting = new Forward(t, ['--via', 'duplex', '--listen', '0', 'x'], { server: piping })
  new Forward(t, ['--connect', `${target}`, 'x'], { server: piping })
  const { code, text } = await wanting.ends()
  t.equal(code, 1, text)
  t.match(text, /--via duplex: /)
  const here = new Forward(t, ['--via', 'duplex', '--listen', '0', 'y'], { server })
  new Forward(t, ['--via', 'pipes', '--connect', `${target}`, 'y'], { server })
  t.match((await here.ends()).text, /--via duplex: the other side does not take it/)
})
