/** Clients that go on asking and do not read the answers. */

import t from 'tap'
import { makeCertificate } from '../../support/certificate.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connectPeer } from '../../support/peer.js'
import { connect } from '../../support/raw.js'

/** What uWebSockets gives a client that takes nothing, and some more. */
const THIRTY_SECONDS = { timeoutMs: 60_000 }

t.test('a client that goes on asking and reads no answer is cut, and one that reads them late is not', async (t) => {
  const gateway = await startGateway(t)
  const refused = 'GET /x?n=0 HTTP/1.1\r\nHost: x\r\n\r\n'
  const late = await connect({ port: gateway.port, pauseOnConnect: true })
  await late.send(refused.repeat(2000))
  await eventually(() => gateway.lines.length >= 2000 || `${gateway.lines.length} requests are answered`)
  late.resume()
  await eventually(() => late.text.split('[ERROR]').length > 2000 || 'answers are missing')
  late.destroy()

  const never = await connect({ port: gateway.port, pauseOnConnect: true })
  // More answers than a kernel keeps.
  for (let i = 0; i < 200 && !never.isClosed; i++) await never.send(refused.repeat(1000))
  // Whoever does not read is not told of the end, but his next bytes are.
  await eventually(async () => {
    await never.send(refused)
    return never.errorCode !== undefined || 'the connection is still open'
  }, THIRTY_SECONDS)
})

t.test('over TLS, too, a client that goes on asking and reads no answer is cut', async (t) => {
  const { cert, key } = makeCertificate(t.testdir({}))
  const gateway = await startGateway(t, { tlsCert: cert, tlsKey: key })
  const peer = await connectPeer({ port: gateway.port, tls: true, onBytes: () => {} })
  peer.pause()
  const refused = 'GET /x?n=0 HTTP/1.1\r\nHost: x\r\n\r\n'
  for (let i = 0; i < 100 && !peer.isClosed; i++) await peer.send(refused.repeat(1000))
  await eventually(async () => {
    await peer.send(refused)
    return peer.errorCode !== undefined || peer.isClosed || 'the connection is still open'
  }, THIRTY_SECONDS)
  peer.leave('destroy')
})
