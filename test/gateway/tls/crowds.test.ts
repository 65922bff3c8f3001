/** What many connections over TLS hold that do nothing, do not go on, or take nothing. */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { installSocketHelper } from '../../../gateway/native/socket-helper.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { type Program, startProgram } from '../../support/program.js'
import { argsFor, first } from './certificates.js'

t.jobs = 3

/** As many as may be in the middle of a handshake. */
const MOST = 2000

const resident = ({ pid }: Program) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1])
const descriptors = ({ pid }: Program) => readdirSync(`/proc/${pid}/fd`).length
const health = async (program: Program) => (await curlDone(['-k', '-m', '20', program.url('health')])).code

/** What a client begins with. */
async function clientHello(t: Test): Promise<Buffer> {
  const server = createServer()
  t.teardown(() => void server.close())
  const port = await listenOnLoopback(server)
  return new Promise((resolve) => {
    server.once('connection', (socket) => {
      socket.once('data', (data) => {
        resolve(data)
        socket.destroy()
      })
    })
    tlsConnect({ port, host: '127.0.0.1' }).on('error', () => {})
  })
}

async function secured(t: Test, port: number): Promise<TLSSocket> {
  const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  t.teardown(() => void socket.destroy())
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  return socket
}

/** In groups, so that nobody has to wait for half a minute. */
async function many<T>(count: number, open: () => Promise<T>): Promise<T[]> {
  const all: T[] = []
  while (all.length < count) all.push(...(await Promise.all(Array.from({ length: 50 }, open))))
  return all
}

t.test(
  'halves of handshakes: the oldest make room, others are served, and half a minute ends the last one',
  async (t) => {
    const program = await startProgram(t, argsFor(first))
    const hello = await clientHello(t)
    await health(program)
    const [memory, files] = [resident(program), descriptors(program)]
    let closed = 0
    const half = async () => {
      const socket: Socket = tcpConnect(program.port, '127.0.0.1')
      t.teardown(() => void socket.destroy())
      socket.on('error', () => {}).once('close', () => closed++)
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(hello)
      await new Promise((resolve) => socket.once('data', resolve))
      socket.resume()
    }
    await many(MOST + 1000, half)
    await eventually(() => closed >= 1000 || `${closed} have made room`)
    t.ok(closed < 1100, `${closed}: no more than had to`)
    const each = (resident(program) - memory) / MOST
    t.comment(`${each.toFixed(1)} kB for each half`)
    t.ok(each < 60, `${each} kB for each half`)
    t.equal(await health(program), 0)
    t.ok(program.logged('TLS handshakes failed').some(({ why }) => /the oldest one made room/.test(String(why))))
    await eventually(() => closed === MOST + 1000 || `${closed} are over`, { timeoutMs: 45_000 })
    await eventually(() => descriptors(program) <= files || `${descriptors(program)} descriptors, were ${files}`)
    t.equal(await health(program), 0)
  },
)

t.test('connections that wait for their next request', async (t) => {
  const program = await startProgram(t, argsFor(first))
  const ask = async () => {
    const socket = await secured(t, program.port)
    socket.write('GET /api/v1/pipe/version HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    return socket
  }
  // What the process needs for some of them it has from here on.
  for (const each of await many(200, ask)) each.destroy()
  await health(program)
  const memory = resident(program)
  await many(1000, ask)
  const each = (resident(program) - memory) / 1000
  t.comment(`${each.toFixed(1)} kB for each`)
  t.ok(each < 40, `${each} kB for each`)
})

t.test('receivers that take nothing: what their machines do not take is not encrypted for them', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const { sockets } = installSocketHelper(true)
  const receivers = await many(100, () => secured(t, gateway.port))
  for (const [i, each] of receivers.entries()) {
    each.pause()
    each.write(`GET /slow-${i} HTTP/1.1\r\nHost: x\r\n\r\n`)
  }
  await gateway.holds(receivers.length, 0)
  const body = Buffer.alloc(6_000_000, 'x')
  const senders = receivers.map((_, i) => curl(['-k', '-T', '-', gateway.url(`slow-${i}`)], { input: body }))
  t.teardown(() => void senders.map((each) => each.kill()))
  await gateway.holds(0, receivers.length)
  // Until nothing moves any more.
  let before = -1
  await eventually(
    () => {
      const now = receivers.reduce((sum, _, i) => sum + (gateway.gateway.table.get(`slow-${i}`)?.bytesOut ?? 0), 0)
      const isStill = now === before && now > 0
      before = now
      return isStill || `${now} bytes`
    },
    { everyMs: 500 },
  )
  const kept = sockets.keptEncrypted() / receivers.length
  t.ok(kept < 5 * 1024, `${kept} bytes are kept for each`)
  // They are served to the end all the same.
  let got = 0
  for (const each of receivers) each.on('data', (data) => (got += data.length)).resume()
  await eventually(() => got > receivers.length * body.length || `${got} bytes`)
  t.equal(sockets.keptEncrypted(), 0)
  await gateway.holds(0, 0)
  for (const each of receivers) each.destroy()
})
