/** Several certificates, what becomes of them when their files change, and the port that redirects to HTTPS. */

import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect } from 'node:tls'
import t, { type Test } from 'tap'
import type { FlagValues } from '../../../gateway/config/config.js'
import type { Answer } from '../../../gateway/http/answers.js'
import type { Exchange } from '../../../gateway/router/exchange.js'
import { redirect } from '../../../gateway/serve/ports/redirect.js'
import { type CertificateFiles, makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { PROJECT, runProgram, startProgram } from '../../support/program.js'
import { connect as connectRaw } from '../../support/raw.js'

t.jobs = 4

const store = t.testdir({ 'junk.pem': 'this is no PEM file\n' })
const make = (name: string, names: string, dates?: readonly [string, string]) =>
  makeCertificate(store, { name, names, ...(dates === undefined ? {} : { dates }) })
const CERTIFICATES = {
  first: make('first', 'DNS:localhost,DNS:first.test,IP:127.0.0.1'),
  second: make('second', 'DNS:localhost'),
  exact: make('exact', 'DNS:exact.wild.test,DNS:Other.Test'),
  wild: make('wild', 'DNS:*.wild.test,DNS:*.first.test'),
  wildFirst: make('wildFirst', 'DNS:*.test'),
  nameless: make('nameless', ''),
  address: make('address', 'IP:127.0.0.2'),
}
const { first, second, exact, wild } = CERTIFICATES

function pairs(...files: readonly CertificateFiles[]): string {
  return files.map(({ cert, key }) => `${cert}:${key}`).join(',')
}

function flagsFor({ cert, key }: CertificateFiles, ...others: readonly CertificateFiles[]): FlagValues {
  return { tlsCert: cert, tlsKey: key, ...(others.length === 0 ? {} : { tlsSni: pairs(...others) }) }
}

function argsFor(main: CertificateFiles, ...others: readonly CertificateFiles[]): string[] {
  const sni = others.length === 0 ? [] : ['--tls-sni', pairs(...others)]
  return ['--tls-cert', main.cert, '--tls-key', main.key, ...sni]
}

/** Shakes hands, and resolves with the subject of the certificate that was shown; rejects with what was said instead. */
function shown(port: number, servername?: string, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const name = servername === undefined ? {} : { servername }
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...name, ...options })
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject?.CN))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

t.test('each name has its certificate, and who asks for another one gets the first', async (t) => {
  const { port } = await startGateway(t, flagsFor(first, exact, wild))
  for (const [name, expected] of [
    [undefined, 'first'],
    ['localhost', 'first'],
    ['nobody.example', 'first'],
    ['first.test', 'first'],
    ['any.wild.test', 'wild'],
    ['exact.wild.test', 'exact'],
    ['other.test', 'exact'],
    ['wild.test', 'first'],
    ['a.b.wild.test', 'first'],
  ] as const) {
    t.equal(await shown(port, name), expected, name ?? 'no name')
  }
})

t.test("a name of the first certificate is its own, whatever another one's wildcard says", async (t) => {
  const { port } = await startGateway(t, flagsFor(first, CERTIFICATES.wildFirst))
  t.same([await shown(port, 'first.test'), await shown(port, 'second.test')], ['first', 'wildFirst'])
})

t.test('whatever name they came by, sender and receiver meet; and the log stays one of JSON lines', async (t) => {
  const program = await startProgram(t, argsFor(first, exact, wild))
  const { port } = program
  const by = (host: string, cert: CertificateFiles) => [
    ...['--cacert', cert.cert, '--resolve', `${host}:${port}:127.0.0.1`],
    `https://${host}:${port}/met`,
  ]
  const receiver = curl(by('any.wild.test', wild))
  const sender = await curlDone(['-d', 'both here', ...by('exact.wild.test', exact)])
  t.same([sender.code, (await receiver.result).stdout.toString()], [0, 'both here'])
  t.match(program.logged('certificates'), [
    {
      certificates: [
        { cert: first.cert, names: ['localhost', 'first.test'], validTo: /^20/ },
        { names: ['exact.wild.test', 'other.test'] },
        { names: ['*.wild.test', '*.first.test'] },
      ],
    },
  ])
  t.equal(program.stderr, '')
})

t.test('the configuration that docs/tls.md shows', async (t) => {
  const page = readFileSync(join(PROJECT, 'docs/tls.md'), 'utf8')
  const dir = t.testdir({ 'pipegate.yaml': /```yaml\n([\s\S]*?)```/.exec(page)![1]! })
  for (const [name, { cert, key }] of [
    ['example.org', first],
    ['files.example.net', exact],
    ['wildcard.example.com', wild],
  ] as const) {
    mkdirSync(join(dir, 'live', name), { recursive: true })
    copyFileSync(cert, join(dir, 'live', name, 'fullchain.pem'))
    copyFileSync(key, join(dir, 'live', name, 'privkey.pem'))
  }
  const flags = { config: join(dir, 'pipegate.yaml'), port: '0', host: '127.0.0.1', redirectPort: '0' }
  const { port } = await startGateway(t, flags)
  t.same(
    [await shown(port), await shown(port, 'other.test'), await shown(port, 'any.wild.test')],
    ['first', 'exact', 'wild'],
  )
})

t.test('certificates that do not go together: one line, before the port opens', async (t) => {
  const { nameless, address } = CERTIFICATES
  const mixed = { cert: exact.cert, key: wild.key }
  for (const [others, line] of [
    [[mixed], /the key \S+wild\.key does not belong to the first certificate in \S+exact\.pem$/],
    [[exact, { cert: join(store, 'junk.pem'), key: exact.key }], /junk\.pem is not a certificate in PEM form$/],
    [[second], /second\.pem is for localhost, and so is \S+first\.pem; each name takes one$/],
    [[exact, exact], /exact\.pem is for exact\.wild\.test, and so is \S+exact\.pem; each name takes one$/],
    [[nameless], /nameless\.pem names no host that a client could ask for$/],
    [[address], /address\.pem names no host that a client could ask for$/],
  ] as const) {
    const message = new RegExp(`^cannot serve HTTPS: [^\\n]*${line.source}`)
    await t.rejects(startGateway(t, flagsFor(first, ...others)), { message })
  }
  const exit = await runProgram(t, ['check', ...argsFor(first, second)])
  t.match(exit, { code: 1, stdout: '', stderr: /^pipegate: cannot serve HTTPS: [^\n]+\n$/ })
})

/** A folder as certbot keeps it: two links, and what they lead to. */
class Live {
  readonly files: CertificateFiles
  readonly #dir: string
  #version = 0

  constructor(dir: string, content: CertificateFiles) {
    this.#dir = dir
    this.files = { cert: join(dir, 'fullchain.pem'), key: join(dir, 'privkey.pem') }
    this.put(content)
  }

  put(content: CertificateFiles): void {
    this.#version++
    this.#link('fullchain.pem', content.cert)
    this.#link('privkey.pem', content.key)
  }

  #link(name: string, from: string): void {
    const version = `${this.#version}-${name}`
    copyFileSync(from, join(this.#dir, version))
    symlinkSync(version, join(this.#dir, 'next'))
    renameSync(join(this.#dir, 'next'), join(this.#dir, name))
  }
}

/** A folder as Kubernetes mounts it: links through a link to the folder of this version, which is all that changes. */
class Mounted {
  readonly files: CertificateFiles
  readonly #dir: string
  #version = 0

  constructor(dir: string, content: CertificateFiles) {
    this.#dir = dir
    this.files = { cert: join(dir, 'tls.crt'), key: join(dir, 'tls.key') }
    this.put(content)
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(dir, name))
  }

  put({ cert, key }: CertificateFiles): void {
    const version = `..${++this.#version}`
    mkdirSync(join(this.#dir, version))
    copyFileSync(cert, join(this.#dir, version, 'tls.crt'))
    copyFileSync(key, join(this.#dir, version, 'tls.key'))
    symlinkSync(version, join(this.#dir, '..next'))
    renameSync(join(this.#dir, '..next'), join(this.#dir, '..data'))
  }
}

const RELOADED = 'certificates reloaded'
const KEPT = 'certificates not reloaded: those from before stay'

t.test('SIGHUP: new connections get the new certificates, and transfers go on', async (t) => {
  const live = new Live(t.testdir({}), first)
  const program = await startProgram(t, argsFor(live.files, exact))
  const { port } = program
  // One transfer that has begun with each generation, and one whose sides are of different ones.
  const send = (name: string) => curl(['-k', '-N', '-T', '.', program.url(name)])
  const receive = (name: string) => curl(['-k', '-N', program.url(name)])
  const sides = [{ sender: send('a'), receiver: receive('a') }]
  const early = send('mixed')
  await early.waitFor('Waiting')
  for (const [round, next] of [second, first, second].entries()) {
    for (const { sender, receiver } of sides) {
      sender.stdin.write(`begun before reload ${round}\n`)
      await receiver.waitFor(`begun before reload ${round}\n`)
    }
    live.put(next)
    program.kill('SIGHUP')
    await program.waitForLog(RELOADED, round + 1)
    const expected = next === first ? 'first' : 'second'
    t.equal(await shown(port), expected, 'without a name')
    t.equal(await shown(port, 'exact.wild.test'), 'exact', 'by name')
    const name = `round${round}`
    sides.push({ sender: send(name), receiver: receive(name) })
  }
  sides.push({ sender: early, receiver: receive('mixed') })
  for (const { sender, receiver } of sides) {
    sender.stdin.end('the end\n')
    t.equal((await sender.result).code, 0)
    const { code, stdout } = await receiver.result
    t.equal(code, 0)
    t.match(stdout.toString(), /^(begun before reload \d\n)*the end\n$/)
  }
  t.equal((await sides[0]!.receiver.result).stdout.toString().split('\n').length, 5, 'nothing is lost or doubled')
  t.ok(program.logged('request').every(({ remoteAddress }) => remoteAddress === '127.0.0.1'))
  t.same([program.stderr, program.logged(KEPT).length], ['', 0])
  const { code } = await program.endsAfter('SIGTERM')
  t.equal(code, 0)
})

t.test('bytes that are on their way while certificates change arrive as they were sent', async (t) => {
  const { gateway, url, port } = await startGateway(t, flagsFor(first, exact))
  const receivers = [1, 2].map(() => curl(['-k', url('big?n=2')]))
  const sender = curl(['-k', '-N', '-T', '.', url('big?n=2')])
  await sender.waitFor('Streaming')
  const sent = createHash('sha256')
  for (let i = 0; i < 10; i++) {
    const piece = randomBytes(1024 * 1024)
    sent.update(piece)
    sender.stdin.write(piece)
    gateway.reload()
    t.equal(await shown(port), 'first')
  }
  sender.stdin.end()
  t.equal((await sender.result).code, 0)
  const digest = sent.digest('hex')
  for (const receiver of receivers) {
    const { code, stdout } = await receiver.result
    t.equal(code, 0)
    t.equal(createHash('sha256').update(stdout).digest('hex'), digest)
  }
})

/** Waits for the `count`-th line of this message. */
async function logged({ lines }: Running, msg: string, count = 1) {
  const found = () => lines.filter((line) => line.msg === msg)
  await eventually(() => found().length >= count || `${found().length} of ${count} lines: ${msg}`)
  return found()[count - 1]!
}

t.test('a file that changes is found without a signal', async (t) => {
  const [mounted, live] = [new Mounted(t.testdir({ other: {} }), first), new Live(join(t.testdirName, 'other'), exact)]
  const gateway = await startGateway(t, flagsFor(mounted.files, live.files))
  const { port } = gateway
  t.same([await shown(port), await shown(port, 'exact.wild.test')], ['first', 'exact'])
  mounted.put(second)
  t.match(await logged(gateway, RELOADED), { certificates: [{ names: ['localhost'], validTo: /^20/ }, {}] })
  t.same([await shown(port), await shown(port, 'exact.wild.test')], ['second', 'exact'])
  live.put(wild)
  await logged(gateway, RELOADED, 2)
  t.same([await shown(port, 'any.wild.test'), await shown(port, 'other.test')], ['wild', 'second'])
  // In place, without another file.
  const { cert, key } = first
  for (const [from, to] of [
    [cert, mounted.files.cert],
    [key, mounted.files.key],
  ] as const) {
    writeFileSync(to, readFileSync(from))
  }
  await logged(gateway, RELOADED, 3)
  t.equal(await shown(port), 'first')
})

t.test('files that cannot be served: one line in the log, and the certificate from before', async (t) => {
  const live = new Live(t.testdir({}), first)
  const gateway = await startGateway(t, flagsFor(live.files, exact))
  const { port, lines } = gateway
  const half = { cert: join(store, 'half.pem'), key: second.key }
  writeFileSync(half.cert, readFileSync(second.cert).subarray(0, 300))
  const stillServes = async () => {
    t.same([await shown(port), await shown(port, 'other.test')], ['first', 'exact'])
  }
  for (const [i, [spoil, problem]] of (
    [
      [
        () => live.put({ cert: second.cert, key: first.key }),
        /privkey\.pem does not belong to the first certificate in/,
      ],
      [() => live.put(half), /fullchain\.pem is not a certificate in PEM form$/],
      [() => live.put(exact), /exact\.pem is for exact\.wild\.test, and so is \S+fullchain\.pem; each name takes one$/],
      [() => rmSync(live.files.key), /^ENOENT: no such file or directory, stat '\S+privkey\.pem'$/],
      // Whoever opens it waits for somebody to write.
      [() => execFileSync('mkfifo', [live.files.key]), /privkey\.pem is not a plain file, and can be read only once$/],
    ] as const
  ).entries()) {
    spoil()
    gateway.gateway.reload()
    t.match(await logged(gateway, KEPT, i + 1), { level: 50, problem })
    await stillServes()
  }
  // And without a signal: found once, however often it is looked at.
  live.put({ cert: second.cert, key: wild.key })
  await logged(gateway, KEPT, 6)
  await sleep(2500)
  t.equal(lines.filter(({ msg }) => msg === KEPT).length, 6)
  await stillServes()
  live.put(second)
  await logged(gateway, RELOADED)
  t.equal(await shown(port), 'second')
})

t.test('certificates that are not valid now are served, with a warning', async (t) => {
  const DAY = 86_400_000
  const asn1 = (days: number) => new Date(Date.now() + days * DAY).toISOString().replace(/\.\d+|\W|T/g, '')
  const dated = (name: string, from: number, to: number) => make(name, `DNS:${name}.test`, [asn1(from), asn1(to)])
  const live = new Live(t.testdir({}), dated('early', 5, 50))
  const gateway = await startGateway(
    t,
    flagsFor(live.files, dated('late', -50, -5), dated('soon', -90, 5), dated('fine', -70, 30)),
  )
  const warnings = () => gateway.lines.filter(({ level }) => level === 40).map(({ names, msg }) => [names, msg])
  const others = [
    [['late.test'], 'a certificate has expired'],
    [['soon.test'], 'a certificate will soon expire'],
  ]
  t.same(warnings(), [[['early.test'], 'a certificate is not valid yet'], ...others])
  t.equal(await shown(gateway.port, 'late.test'), 'late')
  live.put(first)
  gateway.gateway.reload()
  t.same(warnings().slice(3), others, 'said again after a reload')
})

t.test('TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only', async (t) => {
  const rsa = makeCertificate(store, { name: 'rsa', names: 'DNS:rsa.test', algorithm: ['rsa:2048'] })
  const { port, gateway } = await startGateway(t, flagsFor(first, rsa))
  // OpenSSL's own limits are off, so that it is the gateway that refuses. It has no RC4 and no 3DES to offer.
  const shake = (name: string, options: ConnectionOptions) =>
    shown(port, name, { ...options, ciphers: `${options.ciphers ?? 'ALL'}:@SECLEVEL=0` }).catch((error) => error.code)
  const all = async () => {
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      const refused = await shake('localhost', { minVersion: version, maxVersion: version })
      t.equal(refused, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', version)
    }
    for (const [name, kind] of [
      ['localhost', 'ECDSA'],
      ['rsa.test', 'RSA'],
    ] as const) {
      t.ok(['first', 'rsa'].includes(await shake(name, { minVersion: 'TLSv1.3' })))
      for (const cipher of ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305']) {
        const good = await shake(name, { maxVersion: 'TLSv1.2', ciphers: `ECDHE-${kind}-${cipher}` })
        t.ok(['first', 'rsa'].includes(good), `${kind} ${cipher}: ${good}`)
      }
      for (const cipher of [
        `ECDHE-${kind}-AES128-SHA`,
        `ECDHE-${kind}-AES256-SHA`,
        'AES128-GCM-SHA256',
        'AES128-SHA',
      ]) {
        const refused = await shake(name, { maxVersion: 'TLSv1.2', ciphers: cipher })
        t.match(refused, /^ERR_SSL_\w*HANDSHAKE_FAILURE$/, `${kind} ${cipher}`)
      }
    }
  }
  await all()
  gateway.reload()
  await all()
})

/** Starts a gateway with a port that redirects, and resolves with both. */
async function startRedirecting(t: Test) {
  const gateway = await startGateway(t, { ...flagsFor(first), redirectPort: '0' })
  const { from } = await logged(gateway, 'redirecting to HTTPS')
  return { ...gateway, from: from as number, plain: `http://127.0.0.1:${from}` }
}

t.test('the other port answers every request with its address over HTTPS', async (t) => {
  const { plain, origin, port, lines } = await startRedirecting(t)
  // More than uWebSockets corks at once.
  const long = `/${'long/'.repeat(5000)}`
  for (const target of [
    '/',
    '/a%20b/c?n=2&x=%zz+%2f',
    '/health',
    '//elsewhere.example/x',
    "/'(%C3%A9)'?",
    '/?a?b',
    long,
  ]) {
    const { stdout } = await curlDone(['-i', '--path-as-is', plain + target])
    // An empty query is no query.
    const location = origin + target.replace(/\?$/, '')
    t.match(stdout.toString(), /^HTTP\/1.1 308 Permanent Redirect\r\n/)
    t.ok(stdout.includes(`\r\nLocation: ${location}\r\n`), `${target}: ${stdout}`)
    t.ok(stdout.toString().endsWith(`\r\n\r\n[ERROR] Only HTTPS here: use ${location} (curl follows with -L).\n`))
  }
  for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'BREW']) {
    const how = method === 'HEAD' ? ['-I'] : ['-X', method]
    t.match((await curlDone(['-i', ...how, `${plain}/x`])).stdout.toString(), /^HTTP\/1\.1 308 /, method)
  }
  const raw = await connectRaw({ port: Number(new URL(plain).port) })
  await raw.send('GET /\xc3\xa9"x?\xc3\xa9 HTTP/1.1\r\nHost: Some-Name.example:80\r\n\r\n')
  const { headers } = await raw.waitForResponse()
  t.same(headers.location, [`https://Some-Name.example:${port}/%C3%A9"x?%C3%A9`])
  raw.destroy()
  t.match(lines.filter(({ msg }) => msg === 'request')[0], { status: 308, path: '/', remoteAddress: '127.0.0.1' })
})

t.test('a Host that is none is not repeated in a header', async (t) => {
  const { from } = await startRedirecting(t)
  const ask = async (host: string) => {
    const raw = await connectRaw({ port: from })
    await raw.send(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const { status, headers, body } = await raw.waitForResponse()
    raw.destroy()
    return { status, code: headers['x-pipe-code']?.[0], location: headers.location?.[0], body: body.toString() }
  }
  for (const host of [
    'a/b',
    'a@b',
    'user:x@b',
    'a b',
    'a:b',
    'a:123456',
    '[::1',
    '::1',
    'a?b',
    'a\xe9b',
    'a#b',
    'a\\b',
    '"a"',
    '%61',
  ]) {
    const { status, code, location, body } = await ask(host)
    t.same([status, code, location], [400, 'BAD_HOST', undefined], host)
    t.match(body, /^\[ERROR\] The Host header is ".*"\. Send a host name or an address, and perhaps a port\.\n$/)
  }
  for (const host of ['[::1]:8080', '[::1]', '127.0.0.1', 'a_b.example', 'a.example.:80', 'A:']) {
    const { status, location } = await ask(host)
    t.equal(status, 308, host)
    t.ok(
      location?.startsWith(`https://${host.replace(/:\d*$/, (port) => (host === '[::1]' ? port : ''))}:`),
      `${host}: ${location}`,
    )
  }
})

t.test('HTTPS on port 443 needs no port in an address', async (t) => {
  const said: Answer[] = []
  const request = { path: '/a', query: '', header: () => 'x.example:80', eachHeader() {} }
  redirect({ request, answer: (answer: Answer) => said.push(answer) } as unknown as Exchange, 443)
  t.match(said, [
    {
      status: 308,
      headers: [['Content-Type', /text/], ['Cache-Control', 'no-store'], [], [], ['Location', 'https://x.example/a']],
    },
  ])
})

t.test('curl -L follows with its upload', async (t) => {
  const { plain, url } = await startRedirecting(t)
  const body = join(store, 'upload')
  execFileSync('sh', ['-c', `head -c 20000000 /dev/urandom > ${body}`])
  for (const expect of [[], ['-H', 'Expect:']]) {
    const receiver = curl(['-k', url('up')])
    const sender = await curlDone(['-k', '-L', '-T', body, `${plain}/api/v1/pipe/up`, ...expect])
    t.match(sender, { code: 0, stdout: /Transfer complete\.\n$/ })
    t.ok((await receiver.result).stdout.equals(readFileSync(body)))
  }
  // What it has read from a pipe it cannot read again. It may have read nothing yet, and sends all then; never a part.
  const receiver = curl(['-k', url('up')])
  const piped = await curl(['-k', '-L', '-T', '-', `${plain}/api/v1/pipe/up`], { input: 'from a pipe' }).result
  if (piped.code === 0) t.equal((await receiver.result).stdout.toString(), 'from a pipe')
  else t.match(piped, { code: 65, stderr: /rewind/ })
  receiver.kill()
  // Without -L it is told where to.
  const { code, stdout } = await curlDone(['-T', body, `${plain}/api/v1/pipe/up`])
  t.equal(code, 0)
  t.match(stdout.toString(), /^\[ERROR\] Only HTTPS here: use https:\S+\/up /)
})

t.test('a busy port, or one without HTTPS: one line, and nothing is left open', async (t) => {
  const { from } = await startRedirecting(t)
  const flags = ['--port', '0', '--redirect-port', `${from}`]
  const busy = await runProgram(t, ['serve', ...flags, ...argsFor(first)])
  t.equal(busy.code, 1)
  t.match(
    busy.stderr,
    /^pipegate: cannot listen on 127\.0\.0\.1 port \d+: the port is in use; .*choose another with --redirect-port\n$/,
  )
  t.match(await runProgram(t, ['serve', ...flags]), {
    code: 1,
    stderr:
      'pipegate: configuration: --redirect-port: found redirectPort without tlsCert, expected tlsCert and tlsKey as well\n',
  })
})

t.test('when the gateway drains, its other port is closed too', async (t) => {
  const { gateway, plain, url, holds } = await startRedirecting(t)
  const receiver = curl(['-k', url('last')])
  const sender = curl(['-k', '-T', '.', url('last')])
  await holds(0, 1)
  const stopped = gateway.stop()
  t.equal((await curlDone([plain])).code, 7, 'refused')
  sender.stdin.end('whole')
  await stopped
  t.equal((await receiver.result).stdout.toString(), 'whole')
})
