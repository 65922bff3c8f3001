/** The ending that only duplex pipes have; test/gateway/router/duplex has the others. */
import { once } from 'node:events'
import WebSocket from 'ws'
import { startGateway } from '../../../support/gateway.js'
import { joins, peers } from '../duplex/rig.js'
import { part, reasonOf } from './rig.js'

part(
  'a WebSocket that closes in order ends both directions: what it said is complete, what it hears is not',
  async (t) => {
    const gateway = await startGateway(t)
    const http = await joins(gateway)
    await peers(gateway, 1)
    const ws = new WebSocket(gateway.url('d?ws').replace(/^http/, 'ws'), { rejectUnauthorized: false })
    t.teardown(() => ws.terminate())
    await once(ws, 'open')
    ws.send('all of it')
    ws.close(1000)
    await http.hearsTheEnd()
    t.equal(http.heard, 'all of it')
    t.equal(await reasonOf(gateway, 'd'), 'peer_closed', 'what the other one would still have said')
    t.equal(await reasonOf(gateway, 'd', 2), 'complete')
    http.raw.destroy()
  },
)
