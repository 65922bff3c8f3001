/** Bursts of pings on WebSockets through the gateway. `ws` itself ends a connection that brings it 60 of them in one read. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import { PingRelay } from '../../../plugins/reverse-proxy/websocket/ping-relay.js'
import { eventually } from '../../support/eventually.js'
import { startProxy } from '../../support/upstream.js'
import { frames, heard, open, startService, tells } from './websockets.js'

const PINGS = 200_000
const BATCHES = 4

/** Frames of a server have no mask. */
function unmasked(frame: Buffer): Buffer {
  return Buffer.concat([Buffer.of(frame[0]!, frame[1]! & 0x7f), frame.subarray(6)])
}

for (const from of ['client', 'upstream'] as const) {
  t.test(`${PINGS} pings of the ${from} in a burst, with messages between them`, { timeout: 60_000 }, async (t) => {
    const service = await startService(t)
    const gw = await startProxy(t, [{ upstreams: [service.url] }])
    const client = open(t, gw, '/')
    const [answer] = (await once(client, 'upgrade')) as [IncomingMessage]
    await eventually(() => service.socket !== undefined || 'not accepted')
    const [sender, receiver] = from === 'client' ? [client, service.socket!] : [service.socket!, client]
    const socket = from === 'client' ? answer.socket : (service.socket as unknown as { _socket: Socket })._socket
    const framesOf = (opcode: number, bytes: number, count: number) => {
      const frame = frames(opcode, bytes, 1)
      const one = from === 'client' ? frame : unmasked(frame)
      return Buffer.alloc(one.length * count, one)
    }
    const ends = [heard(client), heard(service.socket!)]
    let pings = 0
    let pongs = 0
    let messages = 0
    receiver.on('ping', () => pings++)
    receiver.on('message', () => messages++)
    sender.on('pong', () => pongs++)
    const before = process.memoryUsage().rss
    for (let i = 0; i < BATCHES; i++) {
      socket.write(framesOf(9, 4, PINGS / BATCHES))
      socket.write(framesOf(1, 4, 1))
    }
    await eventually(() => messages === BATCHES || `${messages} of ${BATCHES} messages, ${ends.flat().length} words`, {
      timeoutMs: 30_000,
    })
    await eventually(() => (pings > 0 && pongs > 0) || `${pings} pings arrive, ${pongs} are answered`)
    t.comment(`${pings} pings arrive, ${pongs} are answered, ${(process.memoryUsage().rss - before) >> 20} MiB more`)
    t.ok(pings < PINGS / 100, `${pings} pings arrive`)
    // The newest one, whatever became of those before.
    let answered = ''
    sender.on('pong', (data) => {
      answered = `${data}`
    })
    sender.ping('the last')
    await tells(from === 'client' ? ends[1]! : ends[0]!, 'ping the last')
    await eventually(() => answered === 'the last' || `${answered} is answered last`)
    t.same([client.readyState, service.socket!.readyState], [WebSocket.OPEN, WebSocket.OPEN])
    await eventually(() => gw.gateway.slabs.heldBytes === 0 || `${gw.gateway.slabs.heldBytes} bytes are held`)
  })
}

t.test('one ping is on its way at a time, and the newest of the others follows it', async (t) => {
  let now = 0
  let isOpen = true
  const sent: string[] = []
  const relay = new PingRelay(
    () => now,
    (bytes) => {
      if (isOpen) sent.push(`${Buffer.from(bytes)}`)
      return isOpen
    },
  )
  for (const each of ['one', 'two', 'three and more', 'four']) relay.ping(Buffer.from(each))
  t.same(sent, ['one'])
  relay.pong()
  relay.pong()
  t.same(sent, ['one', 'four'])
  relay.pong()
  t.same(sent, ['one', 'four'], 'none is sent twice')
  relay.ping(Buffer.from('five'))
  now = 999
  relay.ping(Buffer.from('six'))
  t.same(sent.splice(0), ['one', 'four', 'five'])
  now = 1000
  relay.ping(Buffer.from('seven'))
  t.same(sent.splice(0), ['seven'], 'who answers none gets one a second')
  isOpen = false
  relay.pong()
  relay.ping(Buffer.alloc(125, 'x'))
  t.same(sent, [])
  isOpen = true
  relay.flush()
  t.same(sent, ['x'.repeat(125)])
})
