/** A connection on which nothing more is read is closed, whether its client does so or not. */
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'

const MIB = 1024 * 1024

t.test('over TLS: a client that has been answered early, goes on to the end of its body, and stays', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const client = await gateway.connect()
  await client.send('POST /a?topic HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  await client.send(Buffer.concat([Buffer.from('180000\r\n'), Buffer.alloc(1.5 * MIB, 'x')]))
  const { status, headers } = await client.waitForResponse()
  t.match([status, headers.connection], [413, ['close']])
  await client.send('\r\n0\r\n\r\n')
  // Less than the time after which uWebSockets would do it by itself, if it did.
  await eventually(() => client.isClosed || 'the connection is still open', { timeoutMs: 25_000 })
  t.pass()
})
