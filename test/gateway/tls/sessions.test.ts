/** TLS below the engine, as hostile and as odd clients speak it. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { amount, sample } from '../../support/thorough.js'

t.jobs = 3

async function connected(t: Test, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = tlsConnect({ host: '127.0.0.1', rejectUnauthorized: false, ...options })
  t.teardown(() => void socket.destroy())
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  return socket
}

/** All that comes until the end, and how that was. */
function untilEnd(socket: Socket): Promise<{ readonly text: string; readonly isClean: boolean }> {
  let text = ''
  let isClean = false
  socket.on('data', (data) => {
    text += String(data)
  })
  socket.on('error', () => {})
  socket.on('end', () => {
    isClean = true
  })
  return new Promise((resolve) => socket.on('close', () => resolve({ text, isClean })))
}

/** Passes on so many octets of what the client sends, and then ends both connections as `how` says. */
async function middleman(t: Test, gateway: Running, octets: number, how: 'end' | 'reset'): Promise<number> {
  const server = createServer((client) => {
    const onward = tcpConnect(gateway.port, '127.0.0.1')
    let left = octets
    for (const each of [client, onward]) each.on('error', () => {})
    onward.pipe(client)
    client.on('data', (data) => {
      if (left <= 0) return
      const part = data.subarray(0, left)
      left -= part.length
      onward.write(part, () => {
        if (left > 0) return
        if (how === 'end') onward.end()
        else onward.resetAndDestroy()
        client.destroy()
      })
    })
    client.on('close', () => onward.destroy())
  })
  t.teardown(() => void server.close())
  return listenOnLoopback(server)
}

/** What it prints until it ends. */
function openssl(args: readonly string[], input: string): Promise<string> {
  const child = spawn('openssl', args)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += String(data)))
  child.stdin.on('error', () => {})
  child.stdin.write(input)
  // It says what was agreed on first.
  setTimeout(() => child.stdin.end(), 500)
  return new Promise((resolve) => child.once('close', () => resolve(text)))
}

t.test('an upload that is cut anywhere in a record is never complete', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const body = randomBytes(40_000)
  const wholes = { length: ['--data-binary', '@-', '-X', 'PUT'], chunked: ['-T', '-'] }
  for (const [framing, args] of Object.entries(wholes)) {
    // So many octets take the handshake and the head; a record has 16 KiB.
    const cuts = sample(
      Array.from({ length: 19_000 }, (_, i) => 1000 + 2 * i),
      amount(25, 2000),
    )
    for (const [i, cut] of cuts.entries()) {
      const port = await middleman(t, gateway, cut, i % 2 === 0 ? 'end' : 'reset')
      const name = `cut-${framing}-${cut}`
      const receiver = curl(['-kf', gateway.url(name)])
      await eventually(() => gateway.gateway.table.get(name)?.receiversPresent === 1 || 'nobody waits')
      const sender = curl(['-k', '-m', '20', ...args, `https://127.0.0.1:${port}/api/v1/pipe/${name}`], { input: body })
      await sender.result
      // It may not even have got to its name.
      if (
        (gateway.gateway.table.get(name)?.receiversPresent ?? 0) === 1 &&
        gateway.gateway.table.get(name)?.state === 'waiting'
      ) {
        receiver.kill()
        continue
      }
      const { code, stdout } = await receiver.result
      t.not(code, 0, `${framing}, ${cut} octets: ${stdout.length} bytes`)
      t.ok(body.subarray(0, stdout.length).equals(stdout), 'what came is right')
    }
  }
})

t.test('what is complete ends with close_notify, and what is cut without', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  for (const isCut of [false, true]) {
    const name = `end-${isCut}`
    const receiver = await connected(t, { port: gateway.port })
    receiver.write(`GET /${name} HTTP/1.0\r\n\r\n`)
    const end = untilEnd(receiver)
    const sender = curl(['-k', '-N', '-T', '.', gateway.url(name)])
    sender.stdin.write('some of it')
    await eventually(() => gateway.gateway.table.get(name)?.bytesOut === 10 || 'nothing flows')
    if (isCut) sender.kill()
    else sender.stdin.end()
    const { text, isClean } = await end
    t.match(text, /\r\n\r\nsome of it$/)
    t.equal(isClean, !isCut, isCut ? 'cut' : 'complete')
  }
})

t.test('a client that has said that it sends no more gets its answer', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const receiver = await connected(t, { port: gateway.port, allowHalfOpen: true } as ConnectionOptions)
  receiver.end('GET /half HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const end = untilEnd(receiver)
  await eventually(() => gateway.gateway.table.get('half')?.receiversPresent === 1 || 'nobody waits')
  await curlDone(['-k', '-T', '-', gateway.url('half')], { input: 'for it' })
  t.match((await end).text, /\r\nfor it\r\n0\r\n\r\n$/)
})

t.test('records of one octet', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const body = 'b'.repeat(300)
  const sender = await connected(t, { port: gateway.port })
  sender.setNoDelay(true)
  const receiver = curl(['-k', gateway.url('octets')])
  for (const octet of `PUT /api/v1/pipe/octets HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    sender.write(octet)
  t.equal((await receiver.result).stdout.toString(), body)
})

t.test('a thousand halves of handshakes keep nobody out', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const hello = Buffer.concat([Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]), randomBytes(60)])
  const halves = await Promise.all(
    Array.from({ length: amount(400, 1000) }, async () => {
      const socket = tcpConnect(gateway.port, '127.0.0.1')
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(hello)
      socket.resume()
      return socket
    }),
  )
  const receiver = curl(['-k', gateway.url('beside')])
  await curlDone(['-k', '-T', '-', gateway.url('beside')], { input: 'whole' })
  t.equal((await receiver.result).stdout.toString(), 'whole')
  for (const each of halves) each.destroy()
})

t.test('what is no TLS ends the connection, and disturbs nobody', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  for (const garbage of [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\x16\x03\x01\xff\xff',
    randomBytes(500),
    Buffer.alloc(70_000, 22),
  ]) {
    const socket = tcpConnect(gateway.port, '127.0.0.1')
    const end = untilEnd(socket)
    socket.write(garbage)
    await end
  }
  // In the middle of a session.
  const wire = tcpConnect(gateway.port, '127.0.0.1')
  const session = await connected(t, { socket: wire })
  const end = untilEnd(session)
  session.write('GET /garbled HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => gateway.gateway.table.get('garbled')?.receiversPresent === 1 || 'nobody waits')
  wire.write(randomBytes(200))
  await end
  await eventually(() => gateway.gateway.table.get('garbled') === undefined || 'it is still there')
  t.equal((await curlDone(['-k', gateway.url('health')])).code, 0)
})

t.test('what is spoken, and what is not', async (t) => {
  const { port } = await startGateway(t, {}, { tls: true })
  const refused = (options: ConnectionOptions) =>
    connected(t, { port, ...options }).then(
      () => 'spoken',
      (error: NodeJS.ErrnoException) => error.code,
    )
  t.match(
    await refused({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    /^(ERR_SSL|ECONNRESET|EPROTO)/,
  )
  t.match(
    await refused({ maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }),
    /^(ERR_SSL|ECONNRESET)/,
    'no forward secrecy',
  )
  t.match(
    await refused({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }),
    /^(ERR_SSL|ECONNRESET)/,
    'no authenticated encryption',
  )
  t.equal(await refused({ ALPNProtocols: ['h2'] }), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  const both = await connected(t, { port, ALPNProtocols: ['h2', 'http/1.1'] })
  t.equal(both.alpnProtocol, 'http/1.1')
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await connected(t, { port, minVersion: version, maxVersion: version })
    t.equal(socket.getProtocol(), version)
  }
})

t.test('a client resumes its session by a ticket, and cannot renegotiate or send early', async (t) => {
  const { port } = await startGateway(t, {}, { tls: true })
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const first = tlsConnect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
    })
    const session = await new Promise<Buffer>((resolve, reject) => {
      first.once('session', resolve).once('error', reject)
      // TLS 1.3 gives it with the first answer.
      first.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\n')
      first.resume()
    })
    first.destroy()
    const second = await connected(t, { port, session, minVersion: version, maxVersion: version })
    t.ok(second.isSessionReused(), version)
  }
  const renegotiates = await openssl(['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2'], 'R\n')
  t.match(renegotiates, /no renegotiation|RENEGOTIATING[\s\S]*(alert|error)/)
  const about = await openssl(['s_client', '-connect', `127.0.0.1:${port}`], '')
  t.match(about, /Compression: NONE/)
  t.notMatch(about, /Max Early Data: [1-9]/)
})
