/** WebSockets on a topic: they subscribe and publish. */
import { WebSocket } from 'ws'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import { bodyOf, countsAre, countsOf, hasBody, MIB, part, published, subscribed } from './rig.js'

interface Opened {
  readonly socket: WebSocket
  readonly got: (string | Buffer)[]
  readonly closed: { code: number; reason: string }[]
}

async function open(gateway: Running, target: string): Promise<Opened> {
  const socket = new WebSocket(`${gateway.origin.replace('http', 'ws')}/${target}`, { rejectUnauthorized: false })
  const got: (string | Buffer)[] = []
  const closed: Opened['closed'] = []
  socket.on('message', (data: Buffer, isBinary) => got.push(isBinary ? data : data.toString()))
  socket.on('close', (code, reason) => closed.push({ code, reason: reason.toString() }))
  socket.on('error', () => {})
  await eventually(() => socket.readyState === WebSocket.OPEN || `state ${socket.readyState}`)
  return { socket, got, closed }
}

part('a message each, as text or as bytes, in one order with all others, and its own too', async (t) => {
  const gateway = await startGateway(t)
  const one = await open(gateway, 'a?topic')
  await countsAre(gateway, 'a', { subscribers: 1 })
  const two = await open(gateway, 'a?topic')
  const plain = await subscribed(gateway, 'a', 3)
  one.socket.send('hello')
  await hasBody(plain, 'hello\n')
  two.socket.send(Buffer.from([0xff, 0]))
  await eventually(() => one.got.length === 2 || `${one.got.length} messages`)
  t.equal((await published(gateway, 'a?topic', '')).body.toString(), '[INFO] Delivered to 3 subscriber(s).\n')
  one.socket.send(Buffer.alloc(MIB, 'x'))
  for (const { got } of [one, two]) {
    await eventually(() => got.length === 4 || `${got.length} messages`)
    t.same(got.slice(0, 3), ['hello', Buffer.from([0xff, 0]), ''])
    t.equal(got[3]?.length, MIB)
  }
  one.socket.close()
  await countsAre(gateway, 'a', { subscribers: 2 })
  two.socket.terminate()
  await countsAre(gateway, 'a', { subscribers: 1 })
  t.ok(bodyOf(plain).startsWith('hello\n'))
  plain.destroy()
  t.equal(await gateway.ended('a'), 'complete')
})

part('too long is 1009, a stop is 1012, and one that does not read is cut', async (t) => {
  const gateway = await startGateway(t)
  const [long, stays, deaf] = [
    await open(gateway, 'a?topic'),
    await open(gateway, 'a?topic'),
    await open(gateway, 'a?topic'),
  ]
  await countsAre(gateway, 'a', { subscribers: 3 })
  long.socket.send(Buffer.alloc(MIB + 1, 'x'))
  await eventually(() => long.closed[0]?.code === 1009 || JSON.stringify(long.closed))
  deaf.socket.pause()
  for (let i = 0; i < 40 && countsOf(gateway, 'a')?.cuts === 0; i++) {
    await published(gateway, 'a?topic&slow=cut', Buffer.alloc(MIB, 'x'))
    await eventually(() => stays.got.length === i + 1 || `${stays.got.length}`, { timeoutMs: 30_000 })
  }
  await countsAre(gateway, 'a', { cuts: 1, subscribers: 1 })
  deaf.socket.resume()
  await eventually(() => deaf.closed[0]?.code === 1006 || JSON.stringify(deaf.closed))
  await gateway.gateway.stop(3000)
  await eventually(() => stays.closed[0]?.code === 1012 || JSON.stringify(stays.closed))
  t.equal(stays.closed[0]?.reason, 'Server shutting down.')
})

part('more of them than are few, and more messages than one turn has room for', async (t) => {
  const gateway = await startGateway(t)
  const all: Opened[] = []
  for (let i = 0; i < 24; i++) all.push(await open(gateway, 'a?topic'))
  await countsAre(gateway, 'a', { subscribers: 24 })
  // Nothing but WebSockets streams here, so that nobody else's output begins another turn.
  for (let i = 0; i < 200; i++) all[0]!.socket.send(`message ${i}`)
  const wanted = Array.from({ length: 200 }, (_, i) => `message ${i}`)
  for (const { got } of all) await eventually(() => got.length === 200 || `${got.length} messages`)
  for (const { got } of all) t.same(got, wanted)
  for (const { socket } of all) socket.terminate()
})
