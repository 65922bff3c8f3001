/** Connections that do not get as far as TLS: what their clients are told, and what the log says of them. */

import { randomBytes } from 'node:crypto'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { startProgram } from '../../support/program.js'
import { connect, parseResponse } from '../../support/raw.js'
import { argsFor, second } from './certificates.js'

t.jobs = 3

const FAILED = 'TLS handshakes failed'
const whys = ({ lines }: Running) => lines.filter(({ msg }) => msg === FAILED)

/** Sends this, and resolves with all that comes until the end, and with an error if it is not a clean one. */
function say(port: number, ...pieces: readonly (string | Buffer)[]): Promise<{ text: string; error?: string }> {
  const socket = tcpConnect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  let error: string | undefined
  socket.on('data', (data) => (text += data.toString('latin1')))
  socket.on('error', (cause: NodeJS.ErrnoException) => {
    error = cause.code
  })
  for (const piece of pieces) socket.write(piece)
  return new Promise((resolve) => socket.on('close', () => resolve({ text, ...(error && { error }) })))
}

t.test('plain HTTP on a port for HTTPS is answered in HTTP, whatever the method, and to its end', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  for (const head of [
    'GET / ',
    'PUT /x ',
    'OPTIONS * ',
    'PATCH /x ',
    'DELETE /x ',
    'PROPFIND / ',
    'CONNECT x:1 ',
    'PRI * ',
  ]) {
    // A reset because of unread bytes would take the answer away from its client.
    const { text, error } = await say(gateway.port, `${head}HTTP/1.1\r\nHost: x\r\n\r\n`, randomBytes(100_000))
    t.equal(error, undefined, head)
    const { status, headers, body, complete } = parseResponse(Buffer.from(text, 'latin1'))
    t.same([status, complete, headers.connection], [400, true, ['close']])
    t.match(headers['content-type'], ['text/plain; charset=utf-8'])
    t.equal(
      body.toString(),
      '[ERROR] This is plain HTTP, and this port speaks HTTPS. Use https:// here, or the port that speaks HTTP.\n',
    )
  }
  const upload = await curlDone(['-sS', '-w', '%{http_code}', '-T', '-', `http://127.0.0.1:${gateway.port}/x`], {
    input: randomBytes(300_000),
  })
  t.match(upload.stdout.toString(), /port speaks HTTPS[\s\S]*400$/)
  await eventually(() => whys(gateway).length > 0 || 'nothing is said')
  t.match(whys(gateway)[0], {
    level: 30,
    connections: /^\d$/,
    why: /^plain HTTP on a port for HTTPS/,
    client: '127.0.0.1',
  })
})

t.test('in single octets, and without an end', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const { text } = await say(gateway.port, ...'GET / HTTP/1.1\r\n\r\n')
  t.match(text, /^HTTP\/1\.1 400 /)
  // Who reads its answer only when all has been sent.
  const slow = tcpConnect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true })
  let error: string | undefined
  slow.on('error', (cause: NodeJS.ErrnoException) => {
    error = cause.code
  })
  slow.write('PUT /x HTTP/1.1\r\n')
  await new Promise((resolve) => slow.once('data', resolve))
  for (let i = 0; i < 5 && error === undefined; i++) {
    await new Promise((resolve) => slow.write(randomBytes(20_000), resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  slow.end()
  await new Promise((resolve) => slow.once('close', resolve))
  t.equal(error, undefined, 'nothing is sent into the void')
  // Who sends on for ever is not read for ever.
  const socket = tcpConnect({ port: gateway.port, host: '127.0.0.1' })
  let sent = 0
  const piece = Buffer.alloc(65_536, 'x')
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\n')
  const feed = () => {
    while (!socket.destroyed && socket.write(piece)) sent += piece.length
  }
  socket.on('drain', feed)
  feed()
  await new Promise((resolve) => socket.once('close', resolve))
  t.ok(sent > 0)
})

t.test(
  'each kind of a handshake that comes to nothing has its words in the log, and many of a kind one line',
  async (t) => {
    const gateway = await startGateway(t, {}, { tls: true })
    const { port } = gateway
    const shake = (options: ConnectionOptions) =>
      new Promise<string | undefined>((resolve) => {
        const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
        socket
          .once('secureConnect', () => resolve('spoken'))
          .once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      })
    const said = (why: RegExp) => whys(gateway).filter((line) => why.test(String(line.why)))
    const kinds: readonly [() => Promise<unknown>, RegExp][] = [
      [
        () => shake({ ALPNProtocols: ['h2'] }),
        /^the client does not offer HTTP\/1\.1 \(ALPN\): HTTP\/2 is not spoken here$/,
      ],
      [
        () => shake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }),
        /^the client offers no version of TLS from 1\.2 on$/,
      ],
      [
        () => shake({ maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }),
        /^the client offers no cipher or signature that is spoken here$/,
      ],
      [
        () => curlDone(['--cacert', second.cert, `https://127.0.0.1:${port}/`, '--tls-max', '1.2']),
        /accept the certificate/,
      ],
      [() => say(port, 'SSH-2.0-OpenSSH_9.2\r\n'), /^what came is no TLS$/],
      [() => say(port, 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'), /^what came is no TLS$/],
      [() => say(port, Buffer.from('16030100050a00000000', 'hex')), /^what came is broken TLS$/],
    ]
    const results = []
    for (const [begin] of kinds) results.push(await begin())
    t.equal(results[0], 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'what the client is told')
    for (const [, why] of kinds)
      await eventually(() => said(why).length > 0 || `no ${why} in ${JSON.stringify(whys(gateway))}`)
    // Who only looks whether the port is open is no failure.
    const kindsBefore = new Set(whys(gateway).map(({ why }) => why))
    for (let i = 0; i < 5; i++)
      await new Promise<void>((resolve) => {
        const socket = tcpConnect(port, '127.0.0.1', () => {
          socket.destroy()
          resolve()
        })
      })
    for (let i = 0; i < 50; i++) await shake({ ALPNProtocols: ['h2'] })
    const h2 = kinds[0]![1]
    await eventually(() => said(h2).length === 2 || `${said(h2).length} lines`)
    t.equal(said(h2)[1]!.connections, 50, 'one line for fifty')
    t.same(new Set(whys(gateway).map(({ why }) => why)), kindsBefore, 'nothing else')
  },
)

t.test('more is announced than any ClientHello has', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  // 64 KiB and more, for which memory would be taken at once.
  const from = performance.now()
  const { text } = await say(gateway.port, Buffer.from('16030140000101000003', 'hex'), Buffer.alloc(100))
  t.equal(text, '')
  t.ok(performance.now() - from < 15_000, 'at once, and not when its time is over')
})

t.test('TLS on a port for plain HTTP is answered and logged', async (t) => {
  const gateway = await startGateway(t)
  const { stderr, code } = await curlDone(['-k', `https://127.0.0.1:${gateway.port}/`])
  t.equal(code, 35, stderr)
  await eventually(() => gateway.lines.some(({ msg }) => msg === 'request') || 'no line')
  t.match(
    gateway.lines.find(({ msg }) => msg === 'request'),
    { status: 400, code: 'TLS_HANDSHAKE' },
  )
})

/** What a client begins with. */
async function clientHello(t: Test): Promise<Buffer> {
  const server = createServer()
  t.teardown(() => void server.close())
  const port = await listenOnLoopback(server)
  return new Promise((resolve) => {
    server.once('connection', (socket) =>
      socket.once('data', (data) => {
        resolve(data)
        socket.destroy()
      }),
    )
    tlsConnect({ port, host: '127.0.0.1' }).on('error', () => {})
  })
}

function connections(t: Test, port: number, count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = tcpConnect(port, '127.0.0.1')
      t.teardown(() => void socket.destroy())
      await new Promise((resolve) => socket.once('connect', resolve))
      return socket
    }),
  )
}

t.test('a handshake that was held up for others is gone on with, and then costs nothing', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const hello = await clientHello(t)
  // All at once, so that most have to wait; and none of them goes on.
  const halves = await connections(t, gateway.port, 200)
  let answered = 0
  for (const each of halves) {
    each.once('data', () => answered++)
    each.write(hello)
  }
  await eventually(() => answered === 200 || `${answered} of 200 were gone on with`)
  const from = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const { user, system } = process.cpuUsage(from)
  t.ok(user + system < 500_000, `${(user + system) / 1000} ms of CPU in a second in which nothing happens`)
})

t.test('five hundred handshakes at once: who is connected already is served before most of them', async (t) => {
  const program = await startProgram(t, argsFor(second))
  const hello = await clientHello(t)
  const client = await connect({ port: program.port, tls: true })
  const halves = await connections(t, program.port, 500)
  const ask = 'GET /api/v1/pipe/version HTTP/1.1\r\nHost: localhost\r\n\r\n'
  await client.send(ask)
  const { end } = await client.waitForResponse()
  let answered = 0
  for (const each of halves) each.once('data', () => answered++)
  // All of it is there when the gateway looks again.
  program.kill('SIGSTOP')
  await Promise.all(halves.map((each) => new Promise((resolve) => each.write(hello, resolve))))
  await client.send(ask)
  let before = -1
  client.onRead = () => {
    before = answered
  }
  program.kill('SIGCONT')
  await client.waitForResponse({ from: end })
  t.ok(before >= 0 && before < 250, `${before} of 500 were gone on with`)
  await eventually(() => answered === 500 || `${answered} of 500 were gone on with`)
})
