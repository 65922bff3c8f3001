/** What a client sends ahead of its answers is taken in the order in which it was sent, however much one read has brought. */

import t from 'tap'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'

const REQUESTS = 8000
const MIB = 1024 * 1024

t.test('requests behind a chunked body, more of them than the next read takes', async (t) => {
  const gateway = await startGateway(t)
  const { port, lines, url } = gateway
  const receiver = curl(['-N', url('body')])
  await gateway.holds(1, 0)
  const client = await connect({ port })
  // The body first, by which the kernel learns to take more at once; then its end and all that is behind it, for one large read.
  const chunk = 'x'.repeat(8 * MIB)
  const head = 'PUT /api/v1/pipe/body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
  await client.send(`${head}${chunk.length.toString(16)}\r\n${chunk}`)
  await eventually(() => receiver.stdoutText.length === chunk.length || 'the body is on its way', { everyMs: 100 })
  const names = Array.from({ length: REQUESTS }, (_, i) => `/name-${i}`)
  const behind = names.map((name) => `GET ${name}?n=0 HTTP/1.1\r\nHost: x\r\n\r\n`).join('')
  await client.send(`\r\n0\r\n\r\n${behind}`)
  t.equal((await receiver.result).stdout.length, chunk.length)
  const paths = () => lines.flatMap(({ msg, path }) => (msg === 'request' && `${path}`.includes('name-') ? [path] : []))
  await eventually(() => paths().length >= REQUESTS || client.isClosed || `${paths().length} requests are answered`)
  t.same(
    paths().findIndex((path, i) => path !== names[i]),
    -1,
    'all in their order',
  )
  t.equal(paths().length, REQUESTS)
  client.destroy()
})
