/** `pipegate doctor` and what goes both ways: peers in one request each, in parts, and WebSockets. */
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { Chain } from '../../../client/doctor/chain.js'
import type { Check, Finding } from '../../../client/doctor/check.js'
import { duplex } from '../../../client/doctor/checks/duplex.js'
import { websocket } from '../../../client/doctor/checks/websocket.js'
import { nginx, startProxy } from '../../deploy/front.js'
import { freePort } from '../../support/free-port.js'
import { startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'

// Most of the time they wait.
t.jobs = 6

async function look(check: Check, port: number): Promise<Finding> {
  const chain = new Chain({ url: new URL(`http://127.0.0.1:${port}`), headers: {} })
  return check.run(chain, { silenceMs: 0 }).finally(() => chain.close())
}

/** What answers every request of this kind so. */
async function answers(t: Test, status: number, line: string): Promise<number> {
  const server = createServer((req, res) => {
    res.writeHead(status).end(line)
    req.resume()
  })
  t.teardown(() => server.close())
  return listenOnLoopback(server)
}

t.test('straight to a gateway', async (t) => {
  const { port } = await startGateway(t)
  const [peers, sockets] = await Promise.all([look(duplex, port), look(websocket, port)])
  t.match(peers, { verdict: 'ok', seen: /each ends for itself$/, measured: { wholePeers: true } })
  t.match(sockets, { verdict: 'ok', seen: /^messages of two WebSockets go both ways/ })
})

t.test('an nginx that passes bytes on as they come, and no Upgrade', async (t) => {
  const gateway = await startGateway(t, { reply: 'end' })
  const port = await freePort()
  const location = `proxy_pass http://127.0.0.1:${gateway.port}; proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off;`
  await startProxy(t, nginx(t.testdir({}), `server { listen 127.0.0.1:${port}; location / { ${location} } }`), port)
  const [peers, sockets] = await Promise.all([look(duplex, port), look(websocket, port)])
  t.match(peers, {
    verdict: 'warn',
    seen: 'the end of one peer ends the request of the other one too; in parts everything comes',
    means: /Use \?duplex=a/,
    measured: { wholePeers: false, parts: true },
  })
  t.match(sockets, { verdict: 'fail', seen: 'a WebSocket is not opened: it is answered with 426' })
  t.match(sockets.mend, { nginx: /^proxy_set_header Upgrade \$http_upgrade;/ })
})

t.test('one that holds requests back until their end: nothing goes both ways', async (t) => {
  const gateway = await startGateway(t, { reply: 'end' })
  const port = await freePort()
  const location = `proxy_pass http://127.0.0.1:${gateway.port}; proxy_http_version 1.1;`
  await startProxy(t, nginx(t.testdir({}), `server { listen 127.0.0.1:${port}; location / { ${location} } }`), port)
  t.match(await look(duplex, port), {
    verdict: 'fail',
    seen: 'a word was not there 5 s later; and in parts, a word was not there 5 s later',
    mend: { nginx: /^proxy_request_buffering off;/ },
  })
})

t.test('a gateway that refuses, and one that does not know them', async (t) => {
  const refuses = await answers(t, 403, '[ERROR] Not for you.\n')
  t.match(await look(duplex, refuses), {
    verdict: 'fail',
    seen: /^a peer is answered with 403 \[ERROR\] Not for you\.; and in parts/,
  })
  t.match(await look(websocket, refuses), {
    verdict: 'fail',
    seen: 'a WebSocket is not opened: it is answered with 403',
  })
  const old = await answers(t, 501, '[ERROR] Not built.\n')
  t.match(await look(duplex, old), { verdict: 'skip', seen: 'this gateway does not offer duplex pipes' })
  t.match(await look(websocket, old), { verdict: 'skip', seen: 'this gateway does not offer WebSockets' })
  const page = await answers(t, 200, '<p>Welcome</p>')
  t.match(await look(websocket, page), { verdict: 'fail', seen: 'a WebSocket is not opened: it is answered with 200' })
})
