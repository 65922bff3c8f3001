/** What a gateway holds of uploads that an upstream does not read. */

import { createServer, type Socket } from 'node:net'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { connect } from '../../support/raw.js'
import { startProxy } from '../../support/upstream.js'

const UPLOADS = 4

t.test(
  'an upload that is not read is paused, counts as held, and is held no more when its upstream has gone',
  async (t) => {
    const open = new Set<Socket>()
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      open.add(socket)
      socket.on('error', () => {})
    })
    const port = await listenOnLoopback(server)
    t.teardown(() => {
      for (const socket of open) socket.destroy()
      server.close()
    })
    const gw = await startProxy(t, [{ upstreams: [`http://127.0.0.1:${port}`], health: { interval: 600 } }])
    const { slabs } = gw.gateway
    for (let i = 0; i < UPLOADS; i++) {
      const client = await connect({ port: gw.port })
      void client.send(`POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000000\r\n\r\n`)
      void client.send(Buffer.alloc(40_000_000)).catch(() => {})
      t.teardown(() => client.destroy())
    }
    // Each has a connection that has been accepted here, and the health checks have others.
    await eventually(() => open.size >= UPLOADS + gw.threads || `${open.size} connections`)
    await eventually(() => slabs.heldBytes > UPLOADS * 300_000 || `${slabs.heldBytes} bytes are held`)
    t.ok(slabs.heldBytes < UPLOADS * 1_200_000, `${slabs.heldBytes} bytes are held`)
    for (const socket of open) socket.resetAndDestroy()
    await eventually(() => slabs.heldBytes === 0 || `${slabs.heldBytes} bytes are still held`)
  },
)
