/** Keys for tickets do not live for ever. */
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'

const HOURS_MS = 60 * 60 * 1000

interface Begun {
  readonly socket: TLSSocket
  readonly isReused: boolean
  readonly ticket: Buffer
}

/** Asks something: TLS 1.3 gives the ticket with the first answer. */
async function begin(t: Test, options: ConnectionOptions): Promise<Begun> {
  const socket = tlsConnect({ host: '127.0.0.1', rejectUnauthorized: false, ...options })
  t.teardown(() => void socket.destroy())
  const ticket = new Promise<Buffer>((resolve) => socket.once('session', resolve))
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  await ask(socket)
  const isReused = socket.isSessionReused()
  // One of TLS 1.2 that is resumed keeps its ticket.
  return { socket, isReused, ticket: isReused ? options.session! : await ticket }
}

async function ask(socket: TLSSocket): Promise<string> {
  const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve))
  socket.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\n')
  return (await answer).toString()
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`${version}: 12 hours later a session begins anew, and what is open goes on`, async (t) => {
    const now = performance.now.bind(performance)
    let ahead = 0
    performance.now = () => now() + ahead
    t.teardown(() => {
      performance.now = now
    })
    const { port } = await startGateway(t, {}, { tls: true })
    const options = { port, minVersion: version, maxVersion: version }
    const first = await begin(t, options)
    t.notOk(first.isReused)
    t.ok((await begin(t, { ...options, session: first.ticket })).isReused)
    ahead = 11 * HOURS_MS
    t.ok((await begin(t, { ...options, session: first.ticket })).isReused, 'the same keys')
    ahead = 12 * HOURS_MS
    let renewed = first
    await eventually(async () => {
      renewed = await begin(t, { ...options, session: first.ticket })
      return !renewed.isReused || 'it is still resumed'
    })
    t.ok((await begin(t, { ...options, session: renewed.ticket })).isReused, 'by the new keys')
    t.match(await ask(first.socket), /^HTTP\/1\.1 200/)
  })
}
