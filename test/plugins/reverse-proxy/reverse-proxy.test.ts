/** Requests that are forwarded, over real connections to real servers. */

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import bearer from '../../../plugins/auth-bearer/index.js'
import cors from '../../../plugins/cors/index.js'
import limits from '../../../plugins/limits/index.js'
import metrics from '../../../plugins/metrics/index.js'
import { makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { connect } from '../../support/raw.js'
import { startProxy, startScripted, startUpstream } from '../../support/upstream.js'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly raw: readonly string[]
  readonly body: string
}

/** Answers with what it has been asked. */
async function tell(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += chunk
  const { method = '', url = '', headers, rawHeaders: raw } = request
  response.end(JSON.stringify({ method, url, headers, raw, body } satisfies Seen))
}

const asked = async (...args: string[]): Promise<Seen> => JSON.parse((await curlDone(args)).stdout.toString()) as Seen

/** Status and body. */
async function said(...args: string[]): Promise<[number, string]> {
  const { stdout } = await curlDone(['-w', '\n%{http_code}', ...args])
  const text = stdout.toString()
  const at = text.lastIndexOf('\n')
  return [Number(text.slice(at + 1)), text.slice(0, at)]
}

const withConfig = (plugin: unknown, config: unknown = {}) => ({ plugin: plugin as Plugin, config })

t.test('the route of a request: the most exact host, then the longest prefix; else it is a pipe', async (t) => {
  const named = (name: string) => startUpstream(t, (_request, response) => void response.end(name))
  const [exact, below, shop, cart, own] = await Promise.all(['exact', 'below', 'shop', 'cart', 'own'].map(named))
  const gw = await startProxy(t, [
    { prefix: '/shop', upstreams: [shop] },
    { prefix: '/shop/cart/', upstreams: [cart] },
    { host: '*.example.org', upstreams: [below] },
    { host: 'a.Example.org', upstreams: [exact] },
    { host: 'a.example.org', prefix: '/self/', self: true },
    { host: 'own.test', prefix: '/own', upstreams: [own] },
  ])
  const at = async (host: string, path: string) =>
    (await curlDone(['-H', `Host: ${host}`, gw.origin + path])).stdout.toString()
  t.equal(await at('x', '/shop'), 'shop')
  t.equal(await at('x', '/shop/cart'), 'shop')
  t.equal(await at('x', '/shop/cart/7?x'), 'cart')
  t.match(await at('x', '/shopping/?n=0'), /The value of n/)
  t.equal(await at('A.EXAMPLE.org:8080', '/shop'), 'exact')
  t.equal(await at('b.example.org', '/'), 'below')
  t.equal(await at('b.c.example.org', '/shop'), 'below')
  t.match(await at('a.example.org', '/self/x?n=0'), /The value of n/)
  t.match(await at('example.org', '/own?n=0'), /The value of n/)
  t.equal(await at('own.test', '/own'), 'own')
})

t.test('what the upstream is asked for', async (t) => {
  const upstream = await startUpstream(t, tell)
  const gw = await startProxy(t, [
    { prefix: '/app', upstreams: [upstream], strip: true, hostHeader: 'upstream', authorization: 'remove' },
    { prefix: '/below/', upstreams: [upstream], strip: true },
    { upstreams: [upstream] },
  ])
  const straight = await asked('-X', 'PROPFIND', '--path-as-is', `${gw.origin}/a//b;c=d/%2fe%7E?q=%20&&r=ü`)
  t.equal(straight.method, 'PROPFIND')
  t.equal(straight.url, '/a//b;c=d/%2fe%7E?q=%20&&r=%C3%BC', 'path and query as they came')
  t.equal(straight.headers.host, new URL(gw.origin).host)
  const stripped = await asked('-H', 'Authorization: Bearer x', `${gw.origin}/app/x?y`)
  t.equal(stripped.url, '/x?y')
  t.equal(stripped.headers.host, new URL(upstream).host)
  t.equal(stripped.headers.authorization, undefined)
  t.equal((await asked(`${gw.origin}/app`)).url, '/')
  for (const prefix of ['/app', '/below']) {
    for (const rest of ['/', '//', '//evil.test/x', '///x//?y'])
      t.match(await asked(gw.origin + prefix + rest), { url: rest, headers: { host: /^127/ } }, prefix + rest)
  }
  for (const [path, url] of [
    ['/apt/./Packages', '/apt/Packages'],
    ['/a/.', '/a/'],
    ['/./a/././%2e/b/.?c=/./', '/a/b/?c=/./'],
    ['/./app/./x', '/x'],
    ['/a/.well-known/..b/c../d.', '/a/.well-known/..b/c../d.'],
    ['/a;b=../c;/d%20/%C3%A9/.../100%25', '/a;b=../c;/d%20/%C3%A9/.../100%25'],
  ] as const) {
    t.equal((await asked('--path-as-is', gw.origin + path)).url, url, path)
  }
  for (const path of [
    ...['/app/../x', '/a/%2E%2e', '/a/..%2fb', '/a\\..\\b', '/%ff%ef%bf%bd'],
    // Servers that cut parameters off, that ignore control characters or spaces, or that decode twice, or too much.
    ...[
      '/shop/..;/admin',
      '/shop/..;a=b/admin',
      '/shop/%2e%2e;/admin',
      '/shop/..%3b/admin',
      '/shop/..%3B.jpg/admin',
      '/shop/.;/../x',
    ],
    ...[
      '/shop/.%00./admin',
      '/shop/..%00/admin',
      '/shop/..%0a/admin',
      '/shop/..%20/admin',
      '/shop/..%20;a/admin',
      '/shop/.. ./admin',
    ],
    ...[
      '/shop/..%c0%af..%C0%AFadmin',
      '/shop/%c0%ae%c0%ae/admin',
      '/shop/%e0%80%ae./admin',
      '/shop/%f0%80%80%ae./admin',
    ],
    ...['/shop/%252e%252e/admin', '/shop/%u002e%u002e/admin', '/shop/..%255cadmin', '/shop/x%00.jpg'],
  ]) {
    const [status, text] = await said('--path-as-is', gw.origin + path.replaceAll(' ', '%20'))
    t.same([status, /is not forwarded/.test(text)], [400, true], path)
  }
})

/** What upstreams believe of proxies, and so would of a client. */
const CLAIMED = [
  ...[
    'X-Real-IP',
    'X-Forwarded-Prefix',
    'X-Forwarded-Ssl',
    'X-Forwarded-Scheme',
    'X-Forwarded-Protocol',
    'X-Forwarded-Server',
  ],
  ...[
    'X-Forwarded-User',
    'X-Forwarded-Email',
    'X-Forwarded-Uri',
    'X-Forwarded-Method',
    'X-Original-URL',
    'X-Rewrite-URL',
  ],
  ...['Remote-User', 'True-Client-IP', 'CF-Connecting-IP', 'Client-IP', 'Front-End-Https', 'X-Url-Scheme', 'X-Host'],
]

t.test('headers of one hop stay there, and who asks is said', async (t) => {
  const upstream = await startUpstream(t, tell)
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  const client = await connect({ port: gw.port })
  const lines = [
    'GET /x HTTP/1.1',
    'Host: shop.test:81',
    'Connection: keep-alive, X-Private, te',
    'X-Private: 1',
    'TE: trailers',
    'Keep-Alive: 5',
    'Proxy-Authorization: Basic eA==',
    'Proxy-Connection: keep-alive',
    'Trailer: x',
    'X-Twice: a',
    'X-Twice: b',
    'Cookie: c=1',
    'Cookie: d=2',
    'X-Bytes: a\xe9b',
    'X-Forwarded-For: 203.0.113.9',
    'X-Forwarded-Host: evil.test',
    'X-Forwarded-Proto: https',
    'Forwarded: for=203.0.113.9',
    // Whoever hands headers on as variables sees another name.
    'X_Forwarded_For: 203.0.113.9',
    'X-Forwarded_For: 203.0.113.9',
    'X.Forwarded.For: 203.0.113.9',
    'Content_Length: 5',
    'Transfer_Encoding: chunked',
    'Proxy_Connection: close',
    'X_Own: kept',
    ...CLAIMED.map((name) => `${name}: /admin`),
  ]
  await client.send(`${lines.join('\r\n')}\r\n\r\n`)
  const { headers, raw } = JSON.parse((await client.waitForResponse()).body.toString()) as Seen
  for (const name of ['x-private', 'te', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'trailer'])
    t.equal(headers[name], undefined, name)
  t.equal(headers.connection, 'keep-alive', "the gateway's own")
  const disguised = [
    'x_forwarded_for',
    'x-forwarded_for',
    'x.forwarded.for',
    'content_length',
    'transfer_encoding',
    'proxy_connection',
  ]
  for (const name of [...disguised, ...CLAIMED.map((each) => each.toLowerCase())])
    t.equal(headers[name], undefined, name)
  t.equal(headers.x_own, 'kept')
  const twice = raw.flatMap((each, i) => (each.toLowerCase() === 'x-twice' ? [raw[i + 1]] : []))
  t.same(twice, ['a', 'b'])
  t.equal(headers.cookie, 'c=1; d=2')
  t.equal(headers['x-bytes'], 'a\xe9b')
  t.match(headers, {
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'shop.test:81',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '81',
    forwarded: 'for=127.0.0.1;proto=http;host="shop.test:81"',
  })
  client.destroy()
})

t.test('a prefix that is left out is said, and put back into addresses and cookies', async (t) => {
  const upstream = await startUpstream(t, (request, response) => {
    const own = `http://127.0.0.1:${request.socket.localPort}`
    response.writeHead(302, [
      [
        'Location',
        decodeURIComponent(request.url!.slice(1)).replace('OWN', own).replace('HOST', `http://${request.headers.host}`),
      ],
      ['Set-Cookie', 'a=1; Path=/; Secure'],
      ['Set-Cookie', 'b=2; HttpOnly; path=/x'],
      ['Set-Cookie', 'c=3'],
      ['Set-Cookie', '__Host-d=4; Path=/; Secure'],
      ['Set-Cookie', 'e=5; Path=/app/x'],
      ['X-Told', `${request.headers['x-forwarded-prefix']}`],
    ])
    response.end()
  })
  const routes = [{ prefix: '/app/', upstreams: [upstream], strip: true }, { upstreams: [upstream] }]
  const gw = await startProxy(t, routes, { flags: { trustedProxies: '127.0.0.0/8' } })
  const head = async (...args: string[]) => (await curlDone(['-si', ...args])).stdout.toString()
  const { host } = new URL(gw.origin)
  for (const [said, is] of [
    ['/login?to=/x', '/app/login?to=/x'],
    ['/', '/app/'],
    ['/apple', '/app/apple'],
    ['/app/login', '/app/login'],
    ['/app?x', '/app?x'],
    ['login', 'login'],
    ['?page=2', '?page=2'],
    ['//other.test/x', '//other.test/x'],
    ['https://other.test/x', 'https://other.test/x'],
    ['HOST/x', `http://${host}/app/x`],
    ['HOST', `http://${host}/app/`],
    ['OWN/x#y', '/app/x#y'],
  ] as const) {
    t.match(await head(`${gw.origin}/app/${encodeURIComponent(said)}`), `\r\nLocation: ${is}\r\n`, said)
  }
  const below = await head(`${gw.origin}/app/x`)
  const cookies = [...below.matchAll(/^Set-Cookie: (.*)\r$/gm)].map(([, cookie]) => cookie)
  t.same(cookies, [
    'a=1; Path=/app/; Secure',
    'b=2; HttpOnly; path=/app/x',
    'c=3',
    '__Host-d=4; Path=/; Secure',
    'e=5; Path=/app/x',
  ])
  t.match(below, '\r\nX-Told: /app\r\n')
  t.match(await head('-H', 'X-Forwarded-Prefix: /outer/', `${gw.origin}/app/x`), '\r\nX-Told: /outer/app\r\n')
  const beside = await head(`${gw.origin}/${encodeURIComponent('/login')}`)
  t.match(beside, '\r\nLocation: /login\r\n', 'nothing is left out')
  t.match(beside, '\r\nX-Told: undefined\r\n')
})

t.test('what a trusted proxy says is kept and added to', async (t) => {
  const upstream = await startUpstream(t, tell)
  const gw = await startProxy(t, [{ upstreams: [upstream] }], { flags: { trustedProxies: '127.0.0.0/8' } })
  const came = [
    'X-Forwarded-For: 203.0.113.9',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop.test',
    'Forwarded: for=203.0.113.9',
    'X-Real-IP: 203.0.113.9',
    'X-Forwarded-Prefix: /shop',
    'X_Forwarded_For: 203.0.113.1',
  ]
  const { headers } = await asked(...came.flatMap((each) => ['-H', each]), `${gw.origin}/x`)
  t.match(headers, {
    'x-forwarded-for': '203.0.113.9, 127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.test',
    'x-real-ip': '203.0.113.9',
    'x-forwarded-prefix': '/shop',
    x_forwarded_for: undefined,
    forwarded: /^for=203\.0\.113\.9, for=127\.0\.0\.1;proto=https;host="127\.0\.0\.1:\d+"$/,
  })
})

t.test(
  'the answer: status, repeated headers, bytes of values, and neither hop-by-hop headers nor trailers',
  async (t) => {
    const answer = [
      'HTTP/1.1 207 Multi-Status',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'X-Bytes: a\xe9b\tc',
      'X-Private: 1',
      'Connection: X-Private, close',
      'Keep-Alive: 5',
      'Trailer: X-Late',
      'Transfer-Encoding: chunked',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
      '',
      '5',
      'hello',
      '0',
      'X-Late: 1',
      '',
      '',
    ].join('\r\n')
    const gw = await startProxy(t, [{ upstreams: [await startScripted(t, answer, (socket) => socket.end())] }])
    const client = await connect({ port: gw.port })
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const { status, headers, body, framing } = await client.waitForResponse()
    t.same([status, body.toString(), framing], [207, 'hello', 'length'], 'it is short, and came at once')
    t.same(Object.keys(headers).sort(), ['content-length', 'date', 'set-cookie', 'x-bytes'])
    t.same(headers['set-cookie'], ['a=1', 'b=2'])
    t.same(headers['x-bytes'], ['a\xe9b c'])
    t.equal(headers.date?.length, 1)
    t.notMatch(headers.date?.[0], /1970/)
    client.destroy()
  },
)

t.test('answers without a body: HEAD with a length, 204, 304; and the connection goes on', async (t) => {
  const upstream = await startUpstream(t, (request, response) => {
    if (request.url === '/204') response.writeHead(204).end()
    else if (request.url === '/304') response.writeHead(304, { etag: '"x"' }).end()
    else if (request.url === '/empty') response.writeHead(200, { 'content-length': 0 }).end()
    else response.writeHead(200, { 'content-length': 6_000_000_000 }).end()
  })
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  const client = await connect({ port: gw.port })
  const ask = async (method: string, path: string) => {
    const from = client.receivedBytes
    await client.send(`${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    return client.waitForResponse({ from, head: method === 'HEAD' })
  }
  t.same((await ask('HEAD', '/big')).headers['content-length'], ['6000000000'])
  const nothing = await ask('GET', '/204')
  t.same([nothing.status, nothing.headers['content-length']], [204, undefined])
  const same = await ask('GET', '/304')
  t.same([same.status, same.headers.etag], [304, ['"x"']])
  const empty = await ask('GET', '/empty')
  t.same([empty.status, empty.headers['content-length'], empty.complete], [200, ['0'], true])
  client.destroy()
})

/** Answers a body with its digest, and a path `/<bytes>/<framing>` with so many bytes. */
function digest(body: Buffer) {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'GET') {
      if (request.url === '/length') response.setHeader('Content-Length', body.length)
      const half = body.length / 2
      response.write(body.subarray(0, half), () => response.end(body.subarray(half)))
      return
    }
    const hash = createHash('sha256')
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      bytes += chunk.length
    })
    request.on('end', () => response.end(`${bytes} ${hash.digest('hex')}`))
  }
}

for (const tls of [false, true]) {
  t.test(`bodies of every framing arrive unchanged${tls ? ', over TLS on both sides' : ''}`, async (t) => {
    const body = randomBytes(8_000_000)
    const sha256 = createHash('sha256').update(body).digest('hex')
    const files = makeCertificate(t.testdir({ body: '' }))
    const pem = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
    const upstream = await startUpstream(t, digest(body), tls ? pem : undefined)
    const gw = await startProxy(t, [{ upstreams: [upstream], ca: files.cert }], {
      flags: tls ? { tlsCert: files.cert, tlsKey: files.key } : {},
    })
    const ask = (...args: string[]) => curlDone(['-k', ...args], { input: body })
    for (const kind of ['length', 'chunked']) {
      const got = await ask(`${gw.origin}/${kind}`)
      t.ok(got.stdout.equals(body), `down, ${kind}`)
      const framing = kind === 'length' ? [] : ['-H', 'Transfer-Encoding: chunked']
      for (const method of ['PUT', 'DELETE', 'OPTIONS', 'SEARCH']) {
        const sent = await ask('-X', method, ...framing, '--data-binary', '@-', `${gw.origin}/x`)
        t.equal(sent.stdout.toString(), `${body.length} ${sha256}`, `${method}, ${kind}`)
      }
    }
    const small = await curlDone([
      '-k',
      '-d',
      'x',
      `${gw.origin}/x`,
      '-d',
      'y',
      '--next',
      '-k',
      '-X',
      'POST',
      `${gw.origin}/x`,
    ])
    t.match(small.stdout.toString(), /^3 \w{64}0 e3b0/)
  })
}

t.test('both ways flow at once, as slowly as whoever takes it', async (t) => {
  const upstream = await startUpstream(t, (request, response) => void request.pipe(response))
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  const echo = await connect({ port: gw.port })
  await echo.send('PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (const word of ['one', 'two', 'six']) {
    await echo.send(`3\r\n${word}\r\n`)
    await echo.waitFor(word)
  }
  await echo.send('0\r\n\r\n')
  t.equal((await echo.waitForResponse()).body.toString(), 'onetwosix')
  echo.destroy()
})

t.test('lengths beyond 2 GiB stay what they are, both ways', async (t) => {
  const lengths: (string | undefined)[] = []
  const upstream = await startUpstream(t, (request, response) => {
    lengths.push(request.headers['content-length'])
    request.once('data', () => lengths.push('begun'))
    response.writeHead(200, { 'content-length': 6_000_000_000 }).write('x'.repeat(100_000))
  })
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  const client = await connect({ port: gw.port })
  await client.send(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000000\r\n\r\n${'x'.repeat(100_000)}`)
  await client.waitFor('\r\nContent-Length: 6000000000\r\n')
  await client.waitFor(/\r\n\r\nx{100000}$/)
  await eventually(() => lengths.includes('begun') || 'nothing of the body has come')
  t.equal(lengths[0], '5000000000')
  client.destroy()
})

/** A measure of what an endless stream is ahead of who does not read it. */
async function settled(count: () => number): Promise<number> {
  let before = -1
  let same = 0
  await eventually(
    () => {
      same = count() === before ? same + 1 : 0
      before = count()
      return (before > 0 && same >= 20) || `still moving: ${before}`
    },
    { everyMs: 20 },
  )
  return before
}

/** What the kernel holds on the loopback between two sockets, generously, twice; ours is far less. */
const MOST_AHEAD = 40_000_000

t.test('who does not read stops the upstream, and an upstream that does not read stops who sends', async (t) => {
  let written = 0
  let stuck: IncomingMessage | undefined
  const upstream = await startUpstream(t, (request, response) => {
    if (request.method === 'PUT') {
      stuck = request.pause()
      return
    }
    const block = Buffer.alloc(100_000)
    const more = () => {
      while (!response.destroyed && written < 400_000_000) {
        written += block.length
        if (!response.write(block)) return
      }
    }
    response.on('drain', more)
    more()
  })
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  const before = process.memoryUsage().rss
  const reader = await connect({ port: gw.port, pauseOnConnect: true })
  await reader.send('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n')
  t.ok((await settled(() => written)) < MOST_AHEAD, `${written} bytes for who does not read`)
  t.notOk(
    gw.lines.some(({ msg }) => msg === 'request'),
    'nobody was cut off',
  )
  reader.destroy()

  const writer = await connect({ port: gw.port })
  let sent = 0
  const block = Buffer.alloc(100_000)
  void (async () => {
    await writer.send('PUT /stuck HTTP/1.1\r\nHost: x\r\nContent-Length: 400000000\r\n\r\n')
    while (!writer.isClosed && sent < 400_000_000) {
      await writer.send(block)
      sent += block.length
    }
  })()
  t.ok((await settled(() => sent)) < MOST_AHEAD, `${sent} bytes to who does not read`)
  t.ok(process.memoryUsage().rss - before < 150_000_000)
  writer.reset()
  const told = () =>
    gw.lines.some(({ msg, path, outcome }) => msg === 'request' && path === '/stuck' && outcome === 'aborted')
  await eventually(() => told() || 'nobody has noticed that the sender is gone', { timeoutMs: 30_000 })
  stuck?.resume()
  await eventually(() => stuck?.destroyed === true || 'the upstream does not know yet')
})

t.test('a client that leaves cancels the request upstream', async (t) => {
  const open = new Set<string>()
  const upstream = await startUpstream(t, (request, response) => {
    const { url = '' } = request
    open.add(url)
    response.on('close', () => open.delete(url))
    if (url === '/silent') return
    response.write('begun')
    request.resume()
  })
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  for (const [path, ...args] of [['/silent'], ['/begun'], ['/upload', '-T', '-']] as const) {
    const run = curl(['-N', ...args, gw.origin + path])
    await eventually(() => open.has(path) || `nothing asks for ${path}`)
    if (path === '/begun') await run.waitFor('begun')
    run.kill()
    await eventually(() => open.size === 0 || `the upstream still answers ${path}`)
  }
})

t.test('an answer that comes before the upload ends is passed on at once', async (t) => {
  const upstream = await startUpstream(t, (request, response) => {
    if (request.url === '/refused') {
      response.writeHead(413, { 'content-length': 9 }).end('too much\n')
      return
    }
    response.write('listening\n')
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('end', () => response.end(`${bytes}\n`))
  })
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  const early = await connect({ port: gw.port })
  await early.send('PUT /early HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n')
  await early.waitFor('listening')
  await early.send('x'.repeat(300_000))
  t.equal((await early.waitForResponse()).body.toString(), 'listening\n300000\n')
  early.destroy()
  const refused = await curlDone(['-w', '%{http_code}', '-T', '-', `${gw.origin}/refused`], {
    input: Buffer.alloc(30_000_000),
  })
  t.same([refused.code, refused.stdout.toString()], [0, 'too much\n413'])
})

t.test(
  'authentication, limits and metrics hold for what is forwarded; what pages may read is for the upstream to say',
  async (t) => {
    const seen: Seen[] = []
    const upstream = await startUpstream(t, (request, response) => {
      seen.push({ headers: request.headers } as Seen)
      request.resume().on('end', () => response.setHeader('Access-Control-Allow-Origin', 'https://a.test').end('fine'))
    })
    const tokens = [
      { name: 'reader', project: 'p', token: 'pg_the-token-of-who-reads-here', rights: ['receive'], names: ['app/**'] },
      { name: 'writer', project: 'p', token: 'pg_the-token-of-who-writes-here', names: ['app/**'] },
    ]
    const gw = await startProxy(
      t,
      [
        { prefix: '/app', upstreams: [upstream] },
        { prefix: '/other', upstreams: [upstream] },
      ],
      {
        plugins: [
          withConfig(cors),
          withConfig(bearer, { tokens }),
          withConfig(limits, { token: { bytesPerTransfer: 1000, requests: { points: 6, seconds: 3600 } } }),
          withConfig(metrics),
        ],
      },
    )
    const as = (who: string, path: string, ...args: string[]) =>
      said('-H', `Authorization: Bearer pg_the-token-of-who-${who}-here`, ...args, gw.origin + path)
    t.equal((await said(`${gw.origin}/app/x`))[0], 401)
    t.same(await as('reads', '/app/x'), [200, 'fine'])
    t.equal((await as('reads', '/app/x', '-d', 'y'))[0], 403, 'it may not send')
    t.equal((await as('reads', '/other/x'))[0], 403, 'not this name')
    t.same(await as('writes', '/app/x', '-d', 'y'), [200, 'fine'])
    const long = 'y'.repeat(2000)
    t.equal((await as('writes', '/app/x', '-d', long))[0], 413)
    t.equal((await as('writes', '/app/x', '-d', long, '-H', 'Transfer-Encoding: chunked'))[0], 413)
    t.equal(seen.at(-1)?.headers.authorization, 'Bearer pg_the-token-of-who-writes-here')
    const page = await curlDone([
      '-sD',
      '-',
      '-H',
      'Origin: https://b.test',
      '-H',
      `Authorization: Bearer ${tokens[1]!.token}`,
      `${gw.origin}/app/x`,
    ])
    t.same(page.stdout.toString().match(/^access-control-allow-\w+: .*$/gim), [
      'Access-Control-Allow-Origin: https://a.test',
    ])
    while ((await as('writes', '/app/x'))[0] === 200) t.ok(seen.length < 20)
    t.match(await as('writes', '/app/x'), [429, /has used up its 6 requests/])
    const [, exposed] = await said(`${gw.origin}/api/v1/pipe/metrics`)
    t.match(exposed, /REVERSE_PROXY|LIMITS_REQUESTS/)
  },
)

t.test('a token is for as many segments as any upstream could see', async (t) => {
  const upstream = await startUpstream(t, tell)
  const token = 'pg_the-token-of-who-reads-here'
  const tokens = [
    { name: 'one', token, names: ['app/*'] },
    { name: 'all', token: `${token}-all`, names: ['app/**'] },
  ]
  const gw = await startProxy(t, [{ upstreams: [upstream] }], { plugins: [withConfig(bearer, { tokens })] })
  const as = (who: string, path: string) => said('--path-as-is', '-H', `Authorization: Bearer ${who}`, gw.origin + path)
  t.equal((await as(token, '/app/x'))[0], 200)
  for (const slash of ['/', '%2F', '%2f', '%5C', '%5c', '\\']) {
    const path = `/app/x${slash}secret`
    t.equal((await as(token, path))[0], 403, path)
    const [status, text] = await as(`${token}-all`, path)
    t.same([status, JSON.parse(text).url], [200, path], 'forwarded as it came')
  }
})

t.test('a speed that is shared holds for both ways', async (t) => {
  const upstream = await startUpstream(t, (request, response) => void request.pipe(response))
  const gw = await startProxy(t, [{ upstreams: [upstream] }], {
    plugins: [withConfig(limits, { address: { bytesPerSecond: 400_000 } })],
  })
  const since = performance.now()
  const { stdout } = await curlDone(['-T', '-', `${gw.origin}/echo`], { input: Buffer.alloc(200_000) })
  t.equal(stdout.length, 200_000)
  t.ok(performance.now() - since > 700, 'both ways together are 400000 bytes, of which a tenth may be a burst')
})

t.test('a gateway that stops waits for what it forwards, and takes no more', async (t) => {
  let finish = () => {}
  const upstream = await startUpstream(t, (_request, response) => {
    response.write('begun ')
    finish = () => response.end('done')
  })
  const gw = await startProxy(t, [{ upstreams: [upstream] }])
  const kept = await connect({ port: gw.port })
  await kept.send('GET /begun HTTP/1.1\r\nHost: x\r\n\r\n')
  await kept.waitFor('begun')
  const running = curl(['-N', `${gw.origin}/begun`])
  await running.waitFor('begun')
  const stopped = gw.gateway.stop(60_000)
  finish()
  t.equal((await running.result).stdout.toString(), 'begun done')
  kept.destroy()
  await stopped
})
