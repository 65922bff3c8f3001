/** What a gateway holds for WebSockets whose ends do not take it, or do not finish what they send. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Program } from '../../support/program.js'
import { startProxy } from '../../support/upstream.js'
import { frames, heard, open, type Service, startService, tells } from './websockets.js'

const MIB = 1024 * 1024

const MESSAGE = Buffer.alloc(MIB / 4, 'm')

/** Sends messages until so many bytes have gone, or it is closed. */
async function flood(socket: WebSocket, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && socket.readyState === WebSocket.OPEN; sent += MESSAGE.length) {
    await new Promise((resolve) => socket.send(MESSAGE, resolve))
    // What the kernel takes at once resolves at once: without this nothing would be read here.
    await nextTurn()
  }
}

/** Has a WebSocket whose upstream reads nothing. */
async function openUnread(t: Test, gw: { readonly origin: string }, service: Service): Promise<WebSocket> {
  const before = service.accepted
  const client = open(t, gw, '/app/')
  await once(client, 'open')
  await eventually(() => service.accepted > before || 'not accepted')
  service.socket!.pause()
  return client
}

t.test(
  'what an upstream does not take counts: who grows is closed, nobody else is, and no other gets in',
  async (t) => {
    const service = await startService(t)
    const gw = await startProxy(t, [{ prefix: '/app', upstreams: [service.url] }], { flags: { memory: '16MiB' } })
    const { slabs } = gw.gateway
    const quiet = open(t, gw, '/app/')
    await once(quiet, 'open')
    await eventually(() => service.socket !== undefined || 'not accepted')
    const there = heard(service.socket!)
    const receiver = curl(['-N', gw.url('streams')])
    const sender = curl(['-N', '-T', '-', gw.url('streams')])
    sender.stdin.write('first')
    await receiver.waitFor('first')

    const grows = await openUnread(t, gw, service)
    const end = heard(grows)
    // Several megabytes are taken by the kernel. What has been sent is to be here before more is: this is one thread.
    for (let i = 0; i < 200 && slabs.heldBytes < 9 * MIB; i++) {
      await flood(grows, MESSAGE.length)
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => slabs.heldBytes > 8 * MIB || `${slabs.heldBytes} bytes are held`)
    const asked = service.request
    const refused = open(t, gw, '/app/')
    const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage]
    t.same([answer.statusCode, answer.headers['x-pipe-code'], answer.headers['retry-after']], [503, 'NO_MEMORY', '5'])
    t.equal(service.request, asked, 'the upstream has not been asked')

    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, slabs.heldBytes)
    }, 1)
    t.teardown(() => clearInterval(watch))
    await flood(grows, 60 * MIB)
    await tells(end, 'closed 1013 the gateway has no memory left')
    t.ok(most <= 12 * MIB + 65_536, `${most} bytes were held at most`)
    quiet.send('still here')
    await tells(there, 'still here')
    sender.stdin.end(' and last')
    t.equal((await receiver.result).stdout.toString(), 'first and last')
    for (const each of service.all) each.terminate()
    await eventually(() => slabs.heldBytes === 0 || `${slabs.heldBytes} bytes are still held`)
  },
)

/** The head of a masked frame: of zeros, so that what follows may be anything. */
function frameHead(first: number, length: number): Buffer {
  const head = Buffer.alloc(14)
  head[0] = first
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

t.test('messages that are not complete count, on either side, and one that grows too much is closed', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ upstreams: [service.url] }], { flags: { memory: '16MiB' } })
  const { slabs } = gw.gateway
  const holds = (bytes: number) =>
    eventually(() => Math.abs(slabs.heldBytes - bytes) < 8192 || `${slabs.heldBytes} of ${bytes} bytes are held`)
  const begin = async () => {
    const before = service.accepted
    const client = open(t, gw, '/')
    const [answer] = (await once(client, 'upgrade')) as [IncomingMessage]
    await eventually(() => service.accepted > before || 'not accepted')
    return { client, end: heard(client), socket: answer.socket }
  }
  const one = await begin()
  one.socket.write(Buffer.concat([frameHead(0x82, 3 * MIB), Buffer.alloc(MIB)]))
  await holds(MIB)
  const there = heard(service.socket!)
  // In pieces, with a ping between them, which is no part of it.
  const two = await begin()
  two.socket.write(
    Buffer.concat([frameHead(2, MIB), Buffer.alloc(MIB), frames(9, 4, 1), frameHead(0, MIB), Buffer.alloc(MIB / 2)]),
  )
  await holds(2.5 * MIB)
  const upstream = (service.socket as unknown as { _socket: Socket })._socket
  upstream.write(Buffer.concat([Buffer.of(0x82, 127, 0, 0, 0, 0, 0, 0x20, 0, 0), Buffer.alloc(MIB)]))
  await holds(3.5 * MIB)
  two.socket.write(Buffer.concat([Buffer.alloc(MIB / 2), frameHead(0x80, 0)]))
  await holds(2 * MIB)
  upstream.write(Buffer.alloc(MIB))
  await tells(two.end, `bytes ${'\0'.repeat(2 * MIB)}`)
  await holds(MIB)
  // Nobody takes the message that grows now: it has no end.
  const three = await begin()
  three.socket.write(frameHead(0x82, 15 * MIB))
  three.socket.write(Buffer.alloc(14 * MIB))
  await tells(three.end, 'closed 1013 the gateway has no memory left')
  one.socket.write(Buffer.alloc(2 * MIB))
  await eventually(() => there.some((each) => each.length === 6 + 3 * MIB) || 'the first message has not come')
  for (const { client } of [one, two, three]) client.terminate()
  await eventually(() => slabs.heldBytes === 0 || `${slabs.heldBytes} bytes are still held`)
})

const SOCKETS = 30

t.test(`${SOCKETS} WebSockets whose upstream does not read`, { timeout: 120_000 }, async (t) => {
  const service = await startService(t)
  const folder = t.testdir({
    'pipegate.json': JSON.stringify({
      memory: '32MiB',
      plugins: [{ plugin: 'reverse-proxy', config: { routes: [{ prefix: '/app', upstreams: [service.url] }] } }],
    }),
  })
  const program = new Program(t, ['serve', '--port', '0', '--config', join(folder, 'pipegate.json')], {})
  await program.waitForLog('listening')
  const held = async () => ((await (await fetch(program.url('health'))).json()) as { heldBytes: number }).heldBytes
  const gw = { origin: `http://127.0.0.1:${program.port}` }
  // What the first one takes is code that is compiled.
  const first = await openUnread(t, gw, service)
  await flood(first, 4 * MIB)
  const before = residentBytes(program.pid)
  const clients: WebSocket[] = []
  for (let i = 0; i < SOCKETS; i++) clients.push(await openUnread(t, gw, service))
  const ends = clients.map(heard)
  let mostHeld = 0
  let mostResident = 0
  const floods = Promise.all(clients.map((client) => flood(client, 14 * MIB)))
  const look = async () => {
    const now = await held()
    mostHeld = Math.max(mostHeld, now)
    mostResident = Math.max(mostResident, residentBytes(program.pid))
    return now
  }
  const closed = () => ends.filter((each) => each.some((line) => line.startsWith('closed 1013'))).length
  await eventually(async () => (await look()) > 12 * MIB || 'little is held', { timeoutMs: 60_000 })
  await eventually(async () => ((await look()) > 0 && closed() > 0) || 'nobody is closed', { timeoutMs: 60_000 })
  t.ok(mostHeld <= 24 * MIB, `${mostHeld} bytes are held`)
  for (const client of [first, ...clients]) client.terminate()
  for (const each of service.all) each.terminate()
  await floods
  await eventually(async () => (await held()) === 0 || `${await held()} bytes are still held`)
  const grown = mostResident - before
  t.comment(
    `${closed()} closed; held ${(mostHeld / MIB).toFixed(1)} MiB, resident ${(grown / MIB).toFixed(1)} MiB more`,
  )
  t.ok(grown < 100 * MIB, `${grown} bytes more are resident`)
})

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024
}
