/** `--via ws` and a peer that speaks as Hoody's `forwardTcp` does. */

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { startProgram } from '../../support/program.js'
import { connects, joins, listens } from './hoody-peer.js'
import { client, Forward, startPair, startService } from './rig.js'

t.setTimeout(120_000)

const gateway = await startProgram(t)
const server = new URL(gateway.base).origin
const UP = randomBytes(3_000_001)
const DOWN = randomBytes(2_500_003)

/** Nobody comes for it, which takes its time. */
const silent = await listens(t, server, 'silent').then(({ forward, port }) => ({ forward, near: client(t, port) }))

t.test(
  '--connect: byte-exact both ways, each direction with its own end, one connection after the other',
  async (t) => {
    const { forward, far } = await connects(
      t,
      server,
      'connect',
      (socket) => void socket.on('end', () => socket.end(DOWN)),
    )
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
  const { forward, port } = await listens(t, server, 'listen')
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
  const { port } = await listens(t, server, 'early')
  const near = client(t, port)
  near.socket.write('word')
  const peer = await joins(t, server, 'early')
  await eventually(() => peer.hellos === 1 || 'no hello')
  t.equal(peer.bytes, 0)
  peer.hello()
  await eventually(() => peer.read.toString() === 'word' || peer.read.toString())
})

t.test('who acknowledges nothing gets a window and no more, and the program is not read', async (t) => {
  const { port } = await listens(t, server, 'stuck')
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
  const { far } = await connects(t, server, 'slow', (socket) => void socket.pause())
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
