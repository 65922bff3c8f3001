/** WebSockets that are held, or do not read, for minutes; and one that does not answer. Time is moved on by hand. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { opensRaw, PING } from './duplex/raw-socket.js'
import { nothingLeft } from './duplex/rig.js'

const MIB = 1024 * 1024
/** More than the gateway is silent before it asks. */
const A_BEAT_MS = 41_000
const BEATS = 6

// One after the other: they share the time.
t.jobs = 1

let movedMs = 0
const now = performance.now.bind(performance)
performance.now = () => now() + movedMs

async function opens(t: Test, gateway: Running): Promise<WebSocket> {
  const ws = new WebSocket(gateway.url('d?ws').replace('http', 'ws'), { perMessageDeflate: false })
  t.teardown(() => ws.terminate())
  await once(ws, 'open')
  return ws
}

t.test('one that is held, and its partner that does not read: both are left alone', async (t) => {
  const gateway = await startGateway(t, { window: '256KiB' })
  const [fast, slow] = [await opens(t, gateway), await opens(t, gateway)]
  const count = 32
  let [pings, heard] = [0, 0]
  fast.on('ping', () => pings++)
  slow.on('message', (message: Buffer) => {
    if (message.length === MIB && message[0] === heard) heard++
  })
  slow.pause()
  for (let i = 0; i < count; i++) fast.send(Buffer.alloc(MIB, i))
  await eventually(() => gateway.gateway.slabs.heldBytes > 10_000 || 'nothing is held')
  for (let beat = 1; beat <= BEATS; beat++) {
    movedMs += A_BEAT_MS
    await eventually(() => pings >= beat || `${pings} pings`)
  }
  t.equal(fast.readyState, WebSocket.OPEN)
  slow.resume()
  await eventually(() => heard === count || `${heard} messages`)
  fast.close(1000)
  t.match(await once(slow, 'close'), [1000])
  await nothingLeft(gateway)
})

t.test('one that answers neither of two pings is cut, and its partner is told', async (t) => {
  const gateway = await startGateway(t)
  const [silent, partner] = [await opensRaw(gateway), await opens(t, gateway)]
  const closed = once(partner, 'close')
  const pings = () => silent.frames.filter(({ opcode }) => opcode === PING).length
  for (let beat = 1; beat <= 4; beat++) {
    t.equal(silent.raw.isClosed, false)
    movedMs += A_BEAT_MS
    await eventually(() => pings() >= beat - 1 || silent.raw.isClosed || `${pings()} pings`)
    // The first beat shows nothing: the clock is looked at four times a second.
    await sleep(600)
  }
  t.equal(pings(), 2)
  t.match(await closed, [1011, Buffer.from('Peer disconnected.')])
  await nothingLeft(gateway)
})
