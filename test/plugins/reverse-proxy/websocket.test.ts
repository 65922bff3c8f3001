/** WebSockets through the gateway, with the client and the server of `ws` at its ends. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import bearer from '../../../plugins/auth-bearer/index.js'
import { makeCertificate } from '../../support/certificate.js'
import { curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startProxy, startScripted, startSocketUpstream } from '../../support/upstream.js'
import { frames, heard, open, startService, tells } from './websockets.js'

for (const tls of [false, true]) {
  t.test(`messages, pings and ends go both ways${tls ? ', over TLS on both sides' : ''}`, async (t) => {
    const files = makeCertificate(t.testdir({}))
    const service = await startService(t, tls ? files : undefined)
    const gw = await startProxy(t, [{ prefix: '/app', strip: true, upstreams: [service.url], ca: files.cert }], {
      flags: tls ? { tlsCert: files.cert, tlsKey: files.key } : {},
    })
    const client = open(t, gw, '/app/chat?room=1', ['one', 'two'], { Cookie: 'c=1', 'X-Forwarded-For': '203.0.113.9' })
    const [answer] = (await once(client, 'upgrade')) as [IncomingMessage]
    if (client.readyState !== client.OPEN) await once(client, 'open')
    t.same(answer.headers['set-cookie'], ['a=1', 'b=2'])
    t.equal(client.protocol, 'two', 'the upstream has chosen')
    const { url, headers } = service.request!
    t.match(
      { url, ...headers },
      {
        url: '/chat?room=1',
        cookie: 'c=1',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': tls ? 'https' : 'http',
      },
    )
    const there = heard(service.socket!)
    const here = heard(client)
    client.send('grüße')
    client.send(Buffer.from('raw'))
    client.send('')
    client.ping('are you there')
    service.socket!.send('hello')
    service.socket!.send(Buffer.alloc(3_000_000, 'x'))
    service.socket!.ping('and you')
    await tells(there, 'ping are you there')
    t.same(there, ['grüße', 'bytes raw', '', 'ping are you there'])
    await tells(here, 'ping and you')
    t.same(here, ['hello', `bytes ${'x'.repeat(3_000_000)}`, 'ping and you'])
    client.close(4001, 'enough')
    await tells(there, 'closed 4001 enough')
    await tells(here, 'closed 4001 enough')

    const second = open(t, gw, '/app/')
    await once(second, 'open')
    t.equal(second.protocol, '')
    const told = heard(second)
    service.socket!.close(4002, 'maintenance')
    await tells(told, 'closed 4002 maintenance')
    const done = () => gw.lines.filter(({ msg, status }) => msg === 'request' && status === 101).length
    await eventually(() => done() === 2 || `${done()} of 2 are over`)
  })
}

t.test('an end without a word is one on the other side too', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ upstreams: [service.url] }])
  const leaver = open(t, gw, '/')
  await once(leaver, 'open')
  const there = heard(service.socket!)
  leaver.terminate()
  await tells(there, 'closed 1006')
  const left = open(t, gw, '/')
  await once(left, 'open')
  const here = heard(left)
  service.socket!.terminate()
  await tells(here, 'closed 1006')
})

t.test('who is refused hears why: by the upstream, by a gate, or because nobody is there', async (t) => {
  const service = await startService(t)
  const silent = await startSocketUpstream(t, () => {})
  const plain = await startScripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')
  const wrong = await startScripted(
    t,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
  )
  const token = 'pg_the-token-of-who-talks-here'
  const health = { interval: 600 }
  const gw = await startProxy(
    t,
    [
      { upstreams: [service.url] },
      { prefix: '/silent', upstreams: [silent], health, timeouts: { connect: 0.3, response: 0.3 } },
      { prefix: '/plain', upstreams: [plain], health },
      { prefix: '/wrong', upstreams: [wrong], health },
      { prefix: '/none', upstreams: ['http://127.0.0.1:1'], health },
    ],
    { plugins: [{ plugin: bearer as Plugin, config: { tokens: [{ name: 'me', token }] } }] },
  )
  const refusal = async (path: string, headers: Record<string, string> = { Authorization: `Bearer ${token}` }) => {
    const socket = open(t, gw, path, [], headers)
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    let body = ''
    for await (const chunk of answer) body += chunk
    return { status: answer.statusCode, code: answer.headers['x-pipe-code'], why: answer.headers['x-why'], body }
  }
  t.match(await refusal('/refused'), { status: 403, why: 'rule 7', body: 'not here\n' })
  t.match(await refusal('/x', {}), { status: 401, code: 'AUTH_BEARER_MISSING' })
  t.match(await refusal('/plain'), { status: 200, body: 'fine' })
  t.match(await refusal('/silent'), { status: 504, code: 'REVERSE_PROXY_RESPONSE_TIMEOUT' })
  t.match(await refusal('/wrong'), { status: 502, code: 'REVERSE_PROXY_BAD_RESPONSE' })
  t.match(await refusal('/none'), { status: 503, code: 'REVERSE_PROXY_NO_UPSTREAM' })
  t.match(await refusal('/refused', { Authorization: `Bearer ${token}`, 'CDN-Loop': 'a,b,c,d,e,f,g,h,i,j' }), {
    status: 508,
  })
  t.equal(service.socket, undefined)
})

t.test('nobody is held more of than a bound: an upstream is paused, a client turned away', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ upstreams: [service.url] }])
  const reader = open(t, gw, '/')
  await once(reader, 'open')
  reader.pause()
  const from = service.socket!
  const block = Buffer.alloc(1_000_000)
  let sent = 0
  let pushing = true
  const push = () => {
    if (!pushing || sent > 400_000_000) return
    from.send(block, () => {
      sent += block.length
      push()
    })
  }
  push()
  let before = -1
  let still = 0
  await eventually(
    () => {
      still = sent === before ? still + 1 : 0
      before = sent
      return (sent > 0 && still > 20) || `${sent} bytes and still going`
    },
    { everyMs: 20 },
  )
  t.ok(sent < 60_000_000, `${sent} bytes are on their way to who does not read`)
  pushing = false
  reader.resume()
  const got = heard(reader)
  await eventually(() => got.length > sent / block.length - 1 || `${got.length} of ${sent / block.length}`)
  reader.terminate()

  const writer = open(t, gw, '/')
  await once(writer, 'open')
  service.socket!.pause()
  const told = heard(writer)
  const flood = setInterval(() => {
    if (writer.readyState === writer.OPEN && writer.bufferedAmount < 4_000_000) writer.send(block)
  }, 1)
  t.teardown(() => clearInterval(flood))
  await tells(told, 'closed 1013 the service does not keep up')
})

t.test(
  'what is kept for a client that does not read counts, and while it is too much no other is accepted',
  async (t) => {
    const service = await startService(t)
    const gw = await startProxy(t, [{ upstreams: [service.url] }], { flags: { memory: '2MiB' } })
    const { slabs } = gw.gateway
    const reader = open(t, gw, '/')
    await once(reader, 'open')
    await eventually(() => service.socket !== undefined || 'not accepted')
    reader.pause()
    const block = Buffer.alloc(100_000)
    await eventually(() => {
      service.socket!.send(block)
      return slabs.heldBytes > 2 ** 20 || `${slabs.heldBytes} bytes are held`
    })
    t.ok(slabs.heldBytes <= 2 ** 21, `${slabs.heldBytes} bytes are held`)
    const refused = open(t, gw, '/')
    const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage]
    t.same([answer.statusCode, answer.headers['x-pipe-code'], answer.headers['retry-after']], [503, 'NO_MEMORY', '5'])
    reader.terminate()
    await eventually(() => slabs.heldBytes === 0 || `${slabs.heldBytes} bytes are still held`)
    const next = open(t, gw, '/')
    await once(next, 'open')
    next.terminate()
  },
)

t.test('messages without a byte have a weight, unless the upstream takes them', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ upstreams: [service.url] }])
  const client = open(t, gw, '/')
  const [answer] = (await once(client, 'upgrade')) as [IncomingMessage]
  await eventually(() => service.socket !== undefined || 'not accepted')
  const upstream = service.socket!
  let taken = 0
  upstream.on('message', () => taken++)
  answer.socket.write(frames(1, 0, 100_000))
  await eventually(() => taken === 100_000 || `${taken} of 100000 messages`)
  upstream.pause()
  const told = heard(client)
  // What the kernel keeps is kept by nobody else.
  client.send(Buffer.alloc(12_000_000))
  const flood = frames(1, 0, 50_000)
  let sent = 0
  const push = () => {
    if (answer.socket.writable && sent < 2_000_000) answer.socket.write(flood, push)
    sent += 50_000
  }
  push()
  await tells(told, 'closed 1013 the service does not keep up')
})

t.test('a refusal that breaks off is not taken for complete', async (t) => {
  let broken = () => {}
  const upstream = await startScripted(t, 'HTTP/1.1 403 Forbidden\r\n\r\npart of it', (socket) => {
    broken = () => socket.resetAndDestroy()
  })
  const gw = await startProxy(t, [{ upstreams: [upstream], health: { interval: 600 } }])
  const socket = open(t, gw, '/')
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  await once(answer, 'data')
  const over = once(answer, 'end').then(
    () => 'complete',
    () => 'cut',
  )
  broken()
  t.equal(await over, 'cut')
})

t.test('the target of a handshake arrives as it is', async (t) => {
  let line = ''
  const upstream = await startSocketUpstream(t, (text, socket) => {
    line = text.split('\r\n')[0]!
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
  })
  const gw = await startProxy(t, [{ upstreams: [upstream], health: { interval: 600 } }])
  const target = '/a\\b/{c}/"<>|^`?q="<>{}\\|^`\''
  const socket = connect(Number(new URL(gw.origin).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(
    `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  const [said] = (await once(socket, 'data')) as [Buffer]
  t.match(`${said}`, /^HTTP\/1.1 403/)
  t.equal(line, `GET ${target} HTTP/1.1`)
})

t.test('a gateway that is shut down says so to both sides at once', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ upstreams: [service.url] }])
  const client = open(t, gw, '/')
  await once(client, 'open')
  const there = heard(service.socket!)
  const here = heard(client)
  const stopped = gw.gateway.stop(600_000)
  await tells(here, 'closed 1001 the gateway is shutting down')
  await tells(there, 'closed 1001 the gateway is shutting down')
  await stopped
})

t.test('what only looks like a WebSocket is a request like any other, and pipes are as ever', async (t) => {
  const upstream = await startScripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain')
  const gw = await startProxy(t, [{ prefix: '/app', upstreams: [upstream] }])
  const key = ['-H', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  t.equal((await curlDone([...key, `${gw.origin}/app/x`])).stdout.toString(), 'plain')
  const both = [...key, '-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket', '-H', 'Sec-WebSocket-Version: 13']
  t.match((await curlDone([...both, `${gw.url('x')}?wait=1`])).stdout.toString(), /Timed out waiting for sender/)
})
