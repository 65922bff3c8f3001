/** Progress and timers. */

import t from 'tap'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { plugin } from './plugin.js'

t.test('progress is reported while bytes move, and timers end with the gateway', async (t) => {
  let told = 0
  let beats = 0
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('watching', (host) => ({
          hooks: { onProgress: () => void told++ },
          start: () => host.every(5, () => void beats++),
        })),
      ],
    },
  )
  const client = await connect({ port: gateway.port })
  await client.send('PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsome')
  const receiver = curl(['-N', gateway.url('x')])
  await receiver.waitFor('some')
  await eventually(() => told === 1 || 'nobody is told')
  // Three looks later.
  const then = performance.now() + 2500
  await eventually(() => performance.now() > then || 'not yet')
  t.equal(told, 1, 'nothing has moved since')
  await client.send(' more')
  await receiver.result
  client.destroy()
  t.ok(beats > 0)
  await gateway.gateway.stop(0)
  const last = beats
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(beats, last)
})
