/** A session that is cut, at any octet and in either way, is never taken for one that has ended: by nobody, on neither side. */
import { randomBytes } from 'node:crypto'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { amount } from '../../support/thorough.js'

t.jobs = 2

const ALERT = 21

interface Relay {
  readonly port: number
  /** Octets that it has passed on to the gateway, or will. */
  sent: number
  /** Whole records that came of the gateway, by their types. In TLS 1.2 an alert can be told from data. */
  readonly records: number[]
  /** Sizes of those with data. */
  readonly sizes: number[]
}

interface Cut {
  /** Octets of what the client sends, or of what the gateway does. */
  readonly of: 'client' | 'gateway'
  readonly at: number
  readonly way: 'end' | 'reset'
}

/** Passes everything on, until it cuts both connections. */
async function relayTo(t: Test, gateway: Running, cut?: Cut): Promise<Relay> {
  const relay: Relay = { port: 0, sent: 0, records: [], sizes: [] }
  const server = createServer((client) => {
    const onward = tcpConnect({ port: gateway.port, host: '127.0.0.1', noDelay: true })
    const sides = [client, onward]
    for (const each of sides) each.on('error', () => {})
    const end = () => {
      for (const each of sides) {
        if (cut!.way === 'end') each.end()
        else each.resetAndDestroy()
      }
    }
    const pass = (from: Socket, to: Socket, left: number, seen: (data: Buffer) => void) => {
      from.on('data', (data) => {
        if (left <= 0) return
        const part = data.subarray(0, left)
        left -= part.length
        seen(part)
        to.write(part, () => left <= 0 && end())
      })
      from.on('end', () => to.end())
      from.on('close', () => to.destroy())
    }
    let rest = Buffer.alloc(0)
    pass(
      client,
      onward,
      cut?.of === 'client' ? cut.at : Number.POSITIVE_INFINITY,
      (data) => (relay.sent += data.length),
    )
    pass(onward, client, cut?.of === 'gateway' ? cut.at : Number.POSITIVE_INFINITY, (data) => {
      rest = Buffer.concat([rest, data])
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
        relay.records.push(rest[0]!)
        if (rest[0] === 23) relay.sizes.push(rest.readUInt16BE(3))
        rest = rest.subarray(5 + rest.readUInt16BE(3))
      }
    })
  })
  t.teardown(() => void server.close())
  return Object.assign(relay, { port: await listenOnLoopback(server) })
}

interface Client {
  readonly socket: TLSSocket
  readonly text: () => string
  readonly closed: Promise<void>
}

function client(t: Test, port: number): Client {
  const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
  let text = ''
  socket.on('data', (data) => (text += data.toString('latin1')))
  socket.on('error', () => {})
  t.teardown(() => void socket.destroy())
  return { socket, text: () => text, closed: new Promise((resolve) => socket.once('close', () => resolve())) }
}

/** A receiver whose body is as long as its connection: only its end says that it is whole. */
async function receiver(t: Test, gateway: Running, name: string) {
  const relay = await relayTo(t, gateway)
  const here = client(t, relay.port)
  here.socket.write(`GET /${name} HTTP/1.0\r\n\r\n`)
  await eventually(() => gateway.gateway.table.get(name)?.receiversPresent === 1 || 'nobody waits')
  const body = () => here.text().slice(here.text().indexOf('\r\n\r\n') + 4)
  return { ...here, body, announced: () => relay.records.filter((type) => type === ALERT).length }
}

const BODY = randomBytes(40_000).toString('latin1')
const FRAMINGS = {
  length: (name: string) => `PUT /${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  chunked: (name: string) =>
    `PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
}

for (const [framing, request] of Object.entries(FRAMINGS)) {
  t.test(`an upload that is cut: ${framing}`, async (t) => {
    const gateway = await startGateway(t, {}, { tls: true })
    /** Returns whether the receiver was told that it has all. */
    const transfer = async (name: string, cut?: Cut): Promise<{ isWhole: boolean; octets: number }> => {
      const to = await receiver(t, gateway, name)
      const relay = await relayTo(t, gateway, cut)
      const from = client(t, relay.port)
      from.socket.write(request(name), 'latin1')
      const over = () => from.text().includes('\n0\r\n\r\n') || from.text().includes('[ERROR]')
      from.socket.on('data', () => over() && from.socket.end())
      await from.closed
      const pipe = gateway.gateway.table.get(name)
      // It has not got as far as its name.
      if (pipe?.state === 'waiting' && to.body() === '') to.socket.destroy()
      await to.closed
      const title = `${name}: ${to.body().length} bytes arrived`
      const isWhole = to.body() === BODY
      if (!BODY.startsWith(to.body())) t.fail(`${title}, and others than were sent`)
      if (to.announced() !== (isWhole ? 1 : 0)) t.fail(`${title}, ${to.announced()} ends were announced`)
      if (!isWhole && /Transfer complete/.test(from.text())) t.fail(`${title}, and the sender was told: ${from.text()}`)
      await gateway.holds(0, 0)
      return { isWhole, octets: relay.sent }
    }
    const { isWhole, octets } = await transfer('all')
    t.ok(isWhole, 'without a cut')
    const step = Math.max(1, Math.floor(octets / amount(45, 1500)))
    const cuts = [1, 4, 5, 6, ...Array.from({ length: Math.floor(octets / step) }, (_, i) => i * step + 7), octets - 1]
    let whole = 0
    for (const [i, at] of cuts.entries()) {
      for (const way of amount(1, 2) === 1 ? [(['end', 'reset'] as const)[i % 2]!] : (['end', 'reset'] as const)) {
        if ((await transfer(`cut-${at}-${way}`, { of: 'client', at, way })).isWhole) whole++
      }
    }
    t.ok(whole < cuts.length / 10, `${whole} of ${cuts.length} had sent all before the cut`)
  })
}

t.test('a receiver that is cut: its sender is never told that it has all', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const body = Buffer.alloc(8_000_000, 'x')
  for (const [i, at] of [100, 2_000, 20_011, 100_000, 500_003, 1_000_000, 3_000_000].entries()) {
    for (const way of ['end', 'reset'] as const) {
      const name = `away-${i}-${way}`
      const relay = await relayTo(t, gateway, { of: 'gateway', at, way })
      const to = client(t, relay.port)
      to.socket.write(`GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
      if (at < 1000) {
        await to.closed
        continue
      }
      await eventually(() => gateway.gateway.table.get(name)?.receiversPresent === 1 || 'nobody waits')
      const from = client(t, gateway.port)
      from.socket.write(`PUT /${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
      from.socket.write(body)
      await to.closed
      t.not(await gateway.ended(name), 'complete', name)
      t.notMatch(from.text(), /Transfer complete/)
      from.socket.destroy()
    }
  }
  await gateway.holds(0, 0)
})

t.test('records are short after a silence, and long once there is much', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const relay = await relayTo(t, gateway)
  const to = client(t, relay.port)
  to.socket.write('GET /run HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => gateway.gateway.table.get('run')?.receiversPresent === 1 || 'nobody waits')
  const from = client(t, gateway.port)
  const [many, few] = [2_000_000, 30_000]
  from.socket.write(`PUT /run HTTP/1.1\r\nHost: x\r\nContent-Length: ${many + few}\r\n\r\n`)
  from.socket.write(Buffer.alloc(many, 'x'))
  await eventually(() => to.text().length >= many || `${to.text().length} bytes`)
  const first = [...relay.sizes]
  // With what encryption adds in TLS 1.2.
  t.ok(Math.max(...first.slice(0, 12)) <= 4096 + 24, `the first ones: ${first.slice(0, 12).join(' ')}`)
  t.equal(Math.max(...first), 16_384 + 24, 'and later ones')
  // A silence.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  from.socket.write(Buffer.alloc(few, 'x'))
  await eventually(() => to.text().length >= many + few || `${to.text().length} bytes`)
  const then = relay.sizes.slice(first.length)
  t.ok(Math.max(...then) <= 4096 + 24, `after a silence: ${then.join(' ')}`)
})
