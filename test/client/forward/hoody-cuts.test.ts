/** What ends a connection of `--via ws` too early, and what breaks its protocol. */

import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { startProgram } from '../../support/program.js'
import { connects, joins, listens } from './hoody-peer.js'
import { client, Forward } from './rig.js'

t.setTimeout(120_000)

const gateway = await startProgram(t)
const server = new URL(gateway.base).origin

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
    const { forward, port } = await listens(t, server, 'cut')
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
  const { forward, port } = await listens(t, server, 'unsure')
  const near = client(t, port)
  const peer = await joins(t, server, 'unsure')
  peer.acknowledges = false
  peer.hello()
  near.socket.end('up')
  await eventually(() => peer.isEnded || 'no end')
  peer.fin()
  t.equal(await near.ended, 'end')
  peer.ws.close(1000)
  t.match(await forward.tells('cut'), { why: 'the other side is gone' })
})

t.test('what breaks here is told there: 4001', async (t) => {
  const { port } = await listens(t, server, 'reset')
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
  const { forward, far } = await connects(t, server, 'faults', (socket) => void socket.pause())
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
  const { forward } = await connects(t, server, 'greets', () => {})
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
