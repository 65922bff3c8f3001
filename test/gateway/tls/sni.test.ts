/** Several certificates, each for the names in it. */

import { appendFileSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import t from 'tap'
import { type CertificateFiles, makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'
import { PROJECT, runProgram, startProgram } from '../../support/program.js'
import { argsFor, CERTIFICATES, exact, first, flagsFor, second, shown, store, wild } from './certificates.js'

t.jobs = 2

t.test('each name has its certificate, and any other name gets the first', async (t) => {
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

t.test('sender and receiver meet whatever names they use; and every log line stays JSON', async (t) => {
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
  // Another file, with the same certificate.
  appendFileSync(rsa.cert, '\n')
  gateway.reload()
  await all()
})
