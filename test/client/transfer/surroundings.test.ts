/** What is between and around the two sides: TLS, a proxy, a full disk, a terminal. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sharedCertificate } from '../../support/certificate.js'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startDefaultGateway, startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { MAIN } from '../../support/project.js'
import { Pty } from '../watch/pty.js'
import { desks } from './rig.js'

t.setTimeout(300_000)

t.test('over TLS, by the certificates that --cacert names', async (t) => {
  const gateway = await startGateway(t, {}, { tls: true })
  const { send, receive } = desks(t, gateway.origin)
  const refused = await receive('x', '--wait', '5').ends()
  t.equal(refused.code, 2)
  t.match(refused.text, /its certificate is signed by itself; --cacert FILE trusts it/)
  const ca = ['--cacert', sharedCertificate().cert]
  const [sent, received] = await Promise.all([
    send('-t', 'secret', '--name', 'x', ...ca).ends(),
    receive('x', ...ca).ends(),
  ])
  t.same([sent.code, received.code], [0, 0], sent.text + received.text)
  t.equal(received.stdout.toString(), 'secret')
})

/** A proxy as companies have: absolute-form for http, CONNECT for https. */
async function startProxy(t: Test): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    const { method, headers } = incoming
    const outgoing = request(incoming.url!, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    outgoing.flushHeaders()
    incoming.pipe(outgoing)
  })
  server.on('connect', ({ url }, client) => {
    asked.push(`CONNECT ${url}`)
    const [host, port] = url!.split(':')
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    for (const socket of [client, upstream]) socket.on('error', () => {}).on('close', () => upstream.destroy())
  })
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}`, asked }
}

t.test('by the proxy that the environment names, and not by it where NO_PROXY says so', async (t) => {
  const gateway = await startDefaultGateway(t)
  const proxy = await startProxy(t)
  const { send, receive } = desks(t, gateway.origin, { HTTP_PROXY: proxy.url, https_proxy: proxy.url })
  const [sent, received] = await Promise.all([send('-t', 'by proxy', '--name', 'x').ends(), receive('x').ends()])
  t.same([sent.code, received.code], [0, 0], sent.text + received.text)
  t.equal(received.stdout.toString(), 'by proxy')
  t.ok(
    proxy.asked.some((line) => line.startsWith(`PUT ${gateway.origin}/x?`)),
    `${proxy.asked}`,
  )

  const secure = await startGateway(t, {}, { tls: true })
  const ca = ['--cacert', sharedCertificate().cert]
  const tls = desks(t, secure.origin, { HTTPS_PROXY: proxy.url })
  const through = await Promise.all([tls.send('-t', 'x', '--name', 'x', ...ca).ends(), tls.receive('x', ...ca).ends()])
  t.same([through[0].code, through[1].code], [0, 0], through[0].text + through[1].text)
  t.ok(proxy.asked.includes(`CONNECT 127.0.0.1:${secure.port}`), `${proxy.asked}`)

  const before = proxy.asked.length
  const direct = desks(t, gateway.origin, { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' })
  const both = await Promise.all([direct.send('-t', 'x', '--name', 'y').ends(), direct.receive('y').ends()])
  t.same([both[0].code, both[1].code], [0, 0])
  t.equal(proxy.asked.length, before)
})

t.test(
  'a disk that is full',
  { skip: process.getuid?.() !== 0 && 'a file system is mounted by root only' },
  async (t) => {
    const gateway = await startDefaultGateway(t)
    const { here, there, send, receive } = desks(t, gateway.origin)
    const small = join(there, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small])
    t.teardown(() => execFileSync('umount', ['-l', small]))
    writeFileSync(join(here, 'big'), Buffer.alloc(20_000_000, 'x'))
    const sender = send('big', '--name', 'x')
    const received = await receive('x', '-o', `${small}/`).ends()
    t.equal(received.code, 1, received.text)
    t.match(received.text, /The disk is full: .*big\.part is as far as it came\. Make room, and go on with --resume\./)
    t.same(readdirSync(small), ['big.part'])
    t.equal((await sender.ends()).code, 1)
  },
)

t.test('on a terminal: a bar, a question before something is replaced, and the last line', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { here, there } = desks(t, gateway.origin)
  writeFileSync(join(there, 'movie'), 'old')
  const total = 3_000_000
  const sender = curl([
    '-N',
    '-T',
    '-',
    '-H',
    'Content-Disposition: attachment; filename=movie',
    gateway.url(`x?size=${total}`),
  ])
  const env = { PIPEGATE_URL: gateway.origin }
  // A pseudo-terminal takes the folder of its test for itself.
  await t.test('receiving', async (t) => {
    sender.stdin.write('a')
    const command = `cd '${there}'; '${process.execPath}' '${MAIN}' receive x`
    const receiver = new Pty(t, command, { columns: 90, env })
    await eventually(() => receiver.text.includes('Replace it? [y/N]') || receiver.text, { timeoutMs: 60_000 })
    receiver.type('y\r')
    sender.stdin.write(Buffer.alloc(total / 2 - 1))
    await eventually(() => /x {2}\[/.test(receiver.text) || receiver.text, { timeoutMs: 60_000 })
    t.equal(readFileSync(join(there, 'movie'), 'utf8'), 'old', 'not before all of it is here')
    sender.stdin.end(Buffer.alloc(total / 2))
    t.equal(await receiver.ended, 0, receiver.text)
    t.match(receiver.text, /✓ movie {2}3\.0 MB/)
    t.equal(readFileSync(join(there, 'movie')).length, total)
  })
  await t.test('sending', async (t) => {
    const command = `cd '${here}'; echo hello > note; '${process.execPath}' '${MAIN}' send note --name y`
    const other = new Pty(t, command, { columns: 90, env })
    await eventually(() => other.text.includes('waiting for receivers  0 of 1 receiver') || other.text, {
      timeoutMs: 60_000,
    })
    t.match(other.text, /Sending note {2}6 B/)
    other.type('\x03')
    t.equal(await other.ended, 130, 'Ctrl-C')
  })
})
