/** Upstreams that cannot be reached, are slow, lie, or are the gateway itself: what the client is told, and that nobody else notices. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import t from 'tap'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import reverseProxy from '../../../plugins/reverse-proxy/index.js'
import { CopyingWriter } from '../../../plugins/reverse-proxy/relay/copying-writer.js'
import { makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { startProxy, startScripted, startSocketUpstream, startUpstream } from '../../support/upstream.js'

/** No check comes between a start and the end of a test. */
const health = { interval: 600 }
const OK = 'HTTP/1.1 200 OK\r\n'

interface Told {
  readonly curl: number | null
  readonly status: number
  readonly code: string | undefined
  readonly text: string
}

async function told(...args: string[]): Promise<Told> {
  const { code, stdout } = await curlDone(['-w', '\n%{http_code} %header{x-pipe-code}', ...args])
  const [, text = '', status, failure] = /^([\s\S]*)\n(\d+) (.*)$/.exec(stdout.toString()) ?? []
  return { curl: code, status: Number(status), code: failure || undefined, text }
}

const said = ({ status, code }: Told) => [status, code?.replace('REVERSE_PROXY_', '')]

/** A pipe works as if nothing had happened. */
async function works(gw: Running): Promise<boolean> {
  const receiver = curl([gw.url('as-ever')])
  await curlDone(['-d', 'as ever', gw.url('as-ever')])
  return (await receiver.result).stdout.toString() === 'as ever'
}

t.test('answers that are none are 502, and say nothing of what they were', async (t) => {
  const answers: Readonly<Record<string, string>> = {
    garbage: 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    'two lengths': `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy`,
    'a length and chunks': `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'a coding below the chunks': `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    'chunks in chunks': `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    'a coding alone': `${OK}Transfer-Encoding: gzip\r\n\r\nx`,
    'a coding above the chunks': `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    'a length that is none': `${OK}Content-Length: 5x\r\n\r\nhello`,
    'a length beyond all': `${OK}Content-Length: 99999999999999999999\r\n\r\n`,
    'a head without an end': `${OK}X-Long: ${'x'.repeat(70_000)}\r\n\r\n`,
    'a control character': `${OK}X-Bad: a\x01b\r\nContent-Length: 0\r\n\r\n`,
    'a bare line break': `${OK}X-Bad: a\rSet-Cookie: b=1\r\nContent-Length: 0\r\n\r\n`,
    'a status of its own': 'HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n',
    'another protocol': 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    'an upgrade nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  }
  const names = Object.keys(answers)
  const upstreams = await Promise.all(names.map((name) => startScripted(t, answers[name]!)))
  const gw = await startProxy(
    t,
    upstreams.map((url, i) => ({ prefix: `/${i}`, upstreams: [url], health, timeouts: { response: 20 } })),
  )
  await Promise.all(
    names.map(async (name, i) => {
      const got = await told(`${gw.origin}/${i}/`)
      t.same([got.curl, got.status], [0, 502], name)
      t.match(got.code, /^REVERSE_PROXY_(BAD_RESPONSE|RESET)$/, name)
      t.notMatch(got.text, /127\.0\.0\.1|Set-Cookie/, name)
    }),
  )
  t.ok(await works(gw))
})

t.test('answers that break off cut the client; what stands behind an answer is nobody’s', async (t) => {
  const end = 'end'
  const answers: Readonly<Record<string, readonly [answer: string, then: 'end' | 'reset', body: string | undefined]>> =
    {
      'too short, then FIN': [`${OK}Content-Length: 10\r\n\r\nhello`, end, undefined],
      'too short, then RST': [`${OK}Content-Length: 10\r\n\r\nhello`, 'reset', undefined],
      'no last chunk': [`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, end, undefined],
      'a chunk that is none': [`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n`, end, undefined],
      'too long': [`${OK}Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nX-Smuggled: 1\r\n\r\n`, end, 'hello'],
      'until it closes': [`${OK}\r\nhello`, end, 'hello'],
      // Node calls it complete when its connection breaks, a moment after it has told the error.
      'until it closes, which is an RST': [`${OK}\r\nhello`, 'reset', undefined],
      'after interim answers': [
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
        end,
        'hello',
      ],
    }
  const names = Object.keys(answers)
  const upstreams = await Promise.all(
    names.map((name) => {
      const [answer, then] = answers[name]!
      // A reset overtakes what the gateway has not read yet.
      return startScripted(t, answer, (socket) =>
        then === end ? socket.end() : setTimeout(() => socket.resetAndDestroy(), 200),
      )
    }),
  )
  const gw = await startProxy(
    t,
    upstreams.map((url, i) => ({ prefix: `/${i}`, upstreams: [url], health })),
  )
  await Promise.all(
    names.map(async (name, i) => {
      const got = await told('-i', `${gw.origin}/${i}/`)
      const [, then, body] = answers[name]!
      // On a busy machine the reset comes first all the same: then nothing has begun, and the client is told so.
      if (then === 'reset' && got.status === 502) t.match(got.code, 'REVERSE_PROXY_RESET', `${name}: overtaken`)
      else if (body === undefined) t.same([got.curl, got.status], [18, 200], `${name}: cut`)
      else t.same([got.curl, got.text.split('\r\n\r\n').at(-1)], [0, body], name)
      t.notMatch(got.text, /Smuggled|103|Link/, name)
    }),
  )
  t.ok(await works(gw))
})

t.test('nobody there, nobody answers, nobody goes on: 502, 503, 504, 408', async (t) => {
  const silent = await startSocketUpstream(t, () => {})
  const closing = await startSocketUpstream(t, (_text, socket) => socket.end())
  const resetting = await startSocketUpstream(t, (_text, socket) => socket.resetAndDestroy())
  const stalling = await startScripted(t, `${OK}Content-Length: 10\r\n\r\nhello`)
  const port = await freePort()
  const gone = createServer().listen(port, '127.0.0.1')
  await once(gone, 'listening')
  const files = makeCertificate(t.testdir({}))
  const pem = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
  const secure = await startUpstream(t, (_request, response) => void response.end('fine'), pem)
  const hasty = { timeouts: { connect: 0.3, response: 0.3, idle: 0.3 } }
  const place = (prefix: string, url: string, more: object = {}) => ({
    prefix,
    upstreams: [url],
    health,
    ...more,
  })
  const gw = await startProxy(t, [
    place('/silent', silent, hasty),
    place('/silent-tls', silent.replace('http:', 'https:'), hasty),
    place('/closing', closing),
    place('/resetting', resetting),
    place('/stalling', stalling, { timeouts: { idle: 1 } }),
    place('/gone', `http://127.0.0.1:${port}`),
    place('/down', `http://127.0.0.1:${await freePort()}`),
    place('/untrusted', secure),
    place('/other-name', secure.replace('127.0.0.1', 'localhost.'), { ca: files.cert }),
    place('/trusted', secure, { ca: files.cert }),
  ])
  gone.close()
  await once(gone, 'close')
  const ask = (path: string, ...args: string[]) => told(...args, gw.origin + path)
  t.same(said(await ask('/silent')), [504, 'RESPONSE_TIMEOUT'])
  t.same(said(await ask('/silent', '-d', 'body')), [504, 'RESPONSE_TIMEOUT'])
  t.same(said(await ask('/silent-tls')), [504, 'CONNECT_TIMEOUT'])
  t.same(said(await ask('/closing', '-d', 'body')), [502, 'RESET'])
  t.same(said(await ask('/resetting')), [502, 'RESET'])
  t.same(said(await ask('/gone', '-d', 'body')), [502, 'UNREACHABLE'], 'the first one finds out')
  const down = await ask('/gone', '-i')
  t.same(said(down), [503, 'NO_UPSTREAM'])
  t.match(down.text, /\r\nRetry-After: 5\r\n/)
  t.same(said(await ask('/down')), [503, 'NO_UPSTREAM'])
  t.same(said(await ask('/untrusted')), [502, 'UNTRUSTED'])
  t.same(
    (await ask('/trusted', '-H', 'Host: evil.test')).text,
    'fine',
    'the certificate is checked against the configured host',
  )
  const cut = await ask('/stalling')
  t.same([cut.curl, cut.status, cut.text], [18, 200, 'hello'], 'idle in mid-answer')
  const slow = await connect({ port: gw.port })
  await slow.send('PUT /silent HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf')
  t.match(await slow.waitForResponse(), { status: 408, headers: { 'x-pipe-code': ['REVERSE_PROXY_REQUEST_TIMEOUT'] } })
  slow.destroy()
  t.ok(
    gw.lines.some(
      ({ msg, code, upstream }) =>
        msg === 'a request could not be forwarded' &&
        code === 'ECONNREFUSED' &&
        upstream === `http://127.0.0.1:${port}`,
    ),
  )
  t.ok(await works(gw))
})

t.test('what has not been sent yet goes to another upstream, body and all', async (t) => {
  const port = await freePort()
  const gone = createServer().listen(port, '127.0.0.1')
  await once(gone, 'listening')
  const there = await startUpstream(t, (request, response) => void request.pipe(response))
  const gw = await startProxy(t, [{ upstreams: [`http://127.0.0.1:${port}`, there], health }])
  gone.close()
  await once(gone, 'close')
  for (let i = 0; i < 4; i++) t.equal((await told('-d', `body ${i}`, `${gw.origin}/x`)).text, `body ${i}`)
})

t.test('a kept connection that its upstream has closed: only what may be sent twice is', async (t) => {
  /** Closes each connection at its second request, as one that was idle for too long is closed. */
  const requests: string[] = []
  const upstream = await startSocketUpstream(t, (text, socket) => {
    const heads = text.split('\r\n\r\n').length - 1
    if (heads > 1) {
      requests.push('closed')
      socket.destroy()
    } else if (heads === 1) {
      requests.push(text.split(' ')[0]!)
      socket.write(`${OK}Content-Length: 2\r\n\r\nok`)
    }
  })
  const gw = await startProxy(t, [{ upstreams: [upstream], health: { ...health, fall: 100 } }])
  // All by one path: where there are several threads, that is by the connections of one.
  t.equal((await told(`${gw.origin}/a`)).text, 'ok')
  t.equal((await told(`${gw.origin}/a`)).text, 'ok', 'sent again')
  t.same(requests, ['GET', 'closed', 'GET'])
  t.equal((await told(`${gw.origin}/a`)).text, 'ok')
  t.same(said(await told('-X', 'POST', `${gw.origin}/a`)), [502, 'RESET'], 'this could be done twice')
})

t.test('heads of answers may have 64 KiB, and however many lines fit', async (t) => {
  const heads = {
    'a long line': `X-Long: ${'v'.repeat(60_000)}\r\n`,
    'many lines': Array.from({ length: 3000 }, (_, i) => `X-${i}: v\r\n`).join(''),
    'too much': `X-Long: ${'v'.repeat(70_000)}\r\n`,
  }
  for (const [what, lines] of Object.entries(heads)) {
    const gw = await startProxy(t, [
      { upstreams: [await startScripted(t, `${OK}${lines}Content-Length: 2\r\n\r\nok`)] },
    ])
    const client = await connect({ port: gw.port })
    await client.send('GET /x HTTP/1.1\r\nHost: x\r\n\r\n')
    const { status, headers, body } = await client.waitForResponse()
    client.destroy()
    if (what === 'too much') {
      t.same([status, headers['x-pipe-code']], [502, ['REVERSE_PROXY_BAD_RESPONSE']])
      continue
    }
    t.same([status, body.toString()], [200, 'ok'], what)
    for (const line of lines.split('\r\n').slice(0, -1)) {
      const [name = '', value] = line.split(': ')
      if (headers[name.toLowerCase()]?.[0] !== value) t.fail(`${what}: ${line.slice(0, 80)}`)
    }
  }
})

t.test('an upstream that says how long it keeps a connection is not asked on it afterwards', async (t) => {
  const said: (string | undefined)[] = ['timeout=2', 'timeout=2, max=9', 'timeout=1', undefined, undefined]
  const sockets: Socket[] = []
  let at = 0
  const upstream = await startSocketUpstream(t, (text, socket) => {
    if (!text.endsWith('a body')) return
    if (!sockets.includes(socket)) sockets.push(socket)
    const keeps = said[at++]
    socket.write(`${OK}${keeps === undefined ? '' : `Keep-Alive: ${keeps}\r\n`}Content-Length: 2\r\n\r\nok`)
  })
  const gw = await startProxy(t, [{ upstreams: [upstream], health: { ...health, fall: 100 } }])
  const ask = async () => t.equal((await told('-d', 'a body', `${gw.origin}/x`)).text, 'ok')
  await ask()
  await ask()
  t.equal(sockets.length, 1, 'at once it is used again')
  await eventually(() => sockets[0]!.readableEnded || 'the gateway has not closed it')
  await ask()
  t.equal(sockets.length, 2)
  await eventually(() => sockets[1]!.readableEnded || 'one second is too short to be sure')
  await ask()
  await ask()
  t.equal(sockets.length, 3)
})

t.test('no client can take an upstream out for others, and none is fooled by the names of headers', async (t) => {
  const resets = await startScripted(t, '', (socket) => socket.resetAndDestroy())
  const works = await startUpstream(t, (request, response) => response.end(String(request.headers.constructor)))
  const gw = await startProxy(t, [
    { prefix: '/resets', upstreams: [resets], health },
    { prefix: '/', upstreams: [works], health },
  ])
  const one = await told('-H', 'Constructor: x', '-H', '__proto__: y', '-H', 'toString: z', `${gw.origin}/a`)
  t.same([one.status, one.text], [200, 'x'])
  for (let round = 0; round < 4; round++) {
    t.same(said(await told(`${gw.origin}/resets`)), [502, 'RESET'])
    t.same(said(await told('-X', 'CONNECT', '--request-target', '/a', `${gw.origin}/a`)), [405, 'CONNECT_METHOD'])
  }
  t.equal((await told(`${gw.origin}/a`)).status, 200)
})

t.test('an upload of tiny chunks leaves in few pieces, as it came', (t) => {
  const pieces: Uint8Array[] = []
  const taken: (() => void)[] = []
  const copies = new CopyingWriter({ write: (bytes, done) => pieces.push(bytes) && taken.push(done) }, () => {})
  const lent = Buffer.alloc(20_000)
  const sent: Buffer[] = []
  const give = (size: number) => {
    lent.fill(sent.length, 0, size)
    sent.push(Buffer.from(lent.subarray(0, size)))
    copies.write(lent.subarray(0, size))
    lent.fill(255)
  }
  for (let i = 0; i < 100_000; i++) give(1)
  t.ok(pieces.length <= 13, `${pieces.length}`)
  t.ok(copies.pending > 90_000 && copies.pending < 130_000, `${copies.pending}`)
  for (const size of [20_000, 3, 8 * 1024, 1, 8 * 1024 - 1, 0, 2]) give(size)
  setImmediate(() => {
    t.ok(Buffer.concat(pieces).equals(Buffer.concat(sent)))
    for (const done of taken) done()
    t.equal(copies.pending, 0)
    t.end()
  })
})

t.test('requests that go in a circle', async (t) => {
  const [a, b] = [await freePort(), await freePort()]
  const around = (port: number, upstream: number, maxHops = 10) =>
    startGateway(
      t,
      { port: String(port) },
      {
        plugins: [
          {
            plugin: reverseProxy as Plugin,
            config: {
              maxHops,
              routes: [{ upstreams: [`http://127.0.0.1:${upstream}`], health: { interval: 0.05, rise: 1 } }],
            },
          },
        ],
      },
    )
  const first = await around(a, b)
  await around(b, a)
  await eventually(async () => {
    const answer = await told(`${first.origin}/x`)
    return answer.status !== 503 || 'the other one is not up yet'
  })
  t.same(said(await told(`${first.origin}/x`)), [508, 'LOOP'])
  const upstream = await startUpstream(t, (request, response) => void response.end(request.headers['cdn-loop']))
  const last = await startProxy(t, [{ upstreams: [upstream] }], { maxHops: 3 })
  t.match(
    (await told('-H', 'CDN-Loop: foo.example; a=b', '-H', 'CDN-Loop: bar', `${last.origin}/x`)).text,
    /^foo\.example; a=b, bar, pipegate-\w{16}$/,
  )
  t.same(said(await told('-H', 'CDN-Loop: a, b, c', `${last.origin}/x`)), [508, 'TOO_MANY_HOPS'])
})

t.test('a configuration that cannot work stops the start with a line for each fault', async (t) => {
  const fault = async (routes: unknown, more: object = {}) => {
    try {
      await startGateway(t, {}, { plugins: [{ plugin: reverseProxy as Plugin, config: { routes, ...more } }] })
    } catch (error) {
      return (error as Error).message
    }
    return 'it starts'
  }
  const upstreams = ['http://127.0.0.1:1']
  t.match(await fault([]), /expected one route at least/)
  t.match(
    await fault([{ upstreams }, { prefix: '/', upstreams }]),
    /config\.routes\[1\]: found \/, which is that of \[0\] too/,
  )
  t.match(await fault([{}]), /expected either upstreams, a list of origins, or dns/)
  t.match(await fault([{ upstreams, prefix: 'app' }]), /expected the beginning of a path/)
  t.match(await fault([{ upstreams, host: 'a b' }]), /expected a host/)
  t.match(await fault([{ upstreams: ['ftp://x'] }]), /expected an origin/)
  t.match(await fault([{ upstreams, ca: '/no/such/file' }]), /ENOENT.*\/no\/such\/file/)
  t.match(await fault([{ upstreams, typo: 1 }]), /typo/)
})
