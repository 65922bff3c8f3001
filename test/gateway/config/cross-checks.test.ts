/** Settings that depend on each other, and paths. */

import { symlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join, relative } from 'node:path'
import t from 'tap'
import { loadConfig, loadConfigWithOrigins } from '../../../gateway/config/config.js'
import { load, pem, refusal } from './load.js'

t.test('a prefix that is off needs the bare names', async (t) => {
  t.equal(
    refusal({ prefix: 'off' }, { PIPEGATE_BARE_NAMES: 'no' }).message,
    'configuration: --prefix, PIPEGATE_BARE_NAMES: found prefix off and bareNames false, expected at least one of them on',
  )
  t.match(refusal({}, {}, 'prefix: off\nbareNames: false').problems, [
    { where: 'pipegate.yaml', key: 'prefix, bareNames' },
  ])
  t.match(load({ prefix: 'off' }), { prefix: '', bareNames: true })
  t.match(load({ bareNames: 'false' }), { prefix: '/api/v1/pipe', bareNames: false })
})

t.test('memory holds at least one window', async (t) => {
  t.equal(
    refusal({ window: '1GiB' }).message,
    'configuration: --window: found window 1GiB and memory 256MiB, expected memory to be at least window',
  )
  t.match(refusal({ memory: '1MiB' }, { PIPEGATE_WINDOW: '1048577' }).problems, [
    { where: 'PIPEGATE_WINDOW, --memory', key: 'window, memory' },
  ])
  t.equal(load({ window: '2MiB', memory: '2MiB' }).memory, 2_097_152)
  t.equal(refusal({ window: '1GiB', memory: 'lots' }).problems.length, 1, 'no second problem from the first')
})

t.test('certificate and key', async (t) => {
  const [cert, key] = [pem('a.pem'), pem('b.pem')]
  t.match(load({ tlsCert: cert, tlsKey: key }), { tlsCert: cert, tlsKey: key })
  t.equal(
    refusal({ tlsCert: cert }).message,
    'configuration: --tls-cert: found tlsCert without tlsKey, expected both or none',
  )
  t.match(refusal({}, { PIPEGATE_TLS_KEY: key }).problems, [
    { where: 'PIPEGATE_TLS_KEY', found: 'tlsKey without tlsCert' },
  ])
  t.match(refusal({ tlsCert: pem('none.pem'), tlsKey: pem('folder') }).problems, [
    { where: '--tls-cert', key: 'tlsCert', found: /none\.pem" \(ENOENT: no such file/ },
    { where: '--tls-key', key: 'tlsKey', found: /folder" \(a directory\)/ },
  ])
  t.match(
    load({ tlsCert: cert, tlsKey: key }, { PIPEGATE_TLS_CERT: '/none' }),
    { tlsCert: cert },
    'only those in effect',
  )
})

t.test('certificates of clients', async (t) => {
  const [cert, ca] = [pem('a.pem'), pem('b.pem')]
  const tls = { tlsCert: cert, tlsKey: cert }
  t.match(load({ ...tls, tlsClientAuth: 'required', tlsClientCa: ca }), { tlsClientAuth: 'required', tlsClientCa: ca })
  for (const [flags, found, expected] of [
    [
      { ...tls, tlsClientAuth: 'optional' },
      'tlsClientAuth without tlsClientCa',
      'the authorities that vouch for clients',
    ],
    [{ ...tls, tlsClientCa: ca }, 'tlsClientCa without tlsClientAuth', 'tlsClientAuth required, or optional'],
    [{ ...tls, tlsClientCrl: ca }, 'tlsClientCrl without tlsClientCa', 'both, or no list'],
    [{ tlsClientAuth: 'required', tlsClientCa: ca }, 'tlsClientAuth without tlsCert', 'tlsCert and tlsKey as well'],
    [
      { ...tls, tlsClientAuth: 'required', tlsClientCa: ca, socketHelper: 'no' },
      "tlsClientAuth without socketHelper, what the engine's own TLS cannot do",
      'both, or none',
    ],
  ] as const) {
    t.match(refusal(flags).problems, [{ found, expected }])
    t.equal(refusal(flags).problems.length, 1)
  }
  t.match(refusal({ ...tls, tlsClientAuth: 'required', tlsClientCa: pem('none.pem') }).problems, [
    { where: '--tls-client-ca', key: 'tlsClientCa', found: /none\.pem" \(ENOENT: no such file/ },
  ])
})

t.test('more certificates, and the port that redirects', async (t) => {
  const [cert, key] = [pem('a.pem'), pem('b.pem')]
  const both = { tlsCert: cert, tlsKey: key }
  t.same(load(both, {}, `tlsSni:\n  - cert: "${cert}"\n    key: "${key}"\n`).tlsSni, [{ cert, key }])
  const needs = 'expected tlsCert and tlsKey as well'
  t.equal(
    refusal({ tlsSni: `${cert}:${key}` }).message,
    `configuration: --tls-sni: found tlsSni without tlsCert, ${needs}`,
  )
  t.equal(
    refusal({}, {}, 'redirectPort: 80').message,
    `configuration: pipegate.yaml: found redirectPort without tlsCert, ${needs}`,
  )
  t.equal(
    refusal({ ...both, redirectPort: '8443' }, { PIPEGATE_PORT: '8443' }).message,
    'configuration: PIPEGATE_PORT, --redirect-port: found port 8443 and redirectPort 8443, expected two ports',
  )
  t.match(load({ ...both, port: '0', redirectPort: '0' }), { port: 0, redirectPort: 0 })
  t.match(refusal({ ...both, tlsSni: `${pem('none.pem')}:${pem('folder')}` }).problems, [
    { where: '--tls-sni', key: 'tlsSni', found: /none\.pem" \(ENOENT: no such file/ },
    { where: '--tls-sni', key: 'tlsSni', found: /folder" \(a directory\)/ },
  ])
  for (const list of [
    '[{cert: a}]',
    '[{cert: a, key: b, name: c}]',
    '[a]',
    '[[a, b]]',
    '[{cert: 1, key: b}]',
    '[null]',
  ]) {
    t.match(
      refusal(both, {}, `tlsSni: ${list}`).problems,
      [{ key: 'tlsSni', found: 'a list', expected: /CERT:KEY/ }],
      list,
    )
  }
  t.match(refusal(both, {}, 'tlsSni: [*nowhere]').problems, [{ key: 'tlsSni', found: /alias/ }])
})

t.test('a file that is there and cannot be read', async (t) => {
  // A link to itself, because root may read whatever has only its permissions against it.
  symlinkSync(pem('loop.pem'), pem('loop.pem'))
  t.match(refusal({ tlsCert: pem('a.pem'), tlsKey: pem('loop.pem') }).problems, [{ key: 'tlsKey', found: /ELOOP/ }])
})

t.test('relative paths: to the file for those in it, to the working directory for others', async (t) => {
  const text = 'tlsCert: cert.pem\ntlsKey: ./key.pem\ntlsSni: [{cert: ./key.pem, key: cert.pem}]\n'
  const dir = t.testdir({ 'pipegate.yaml': text, 'cert.pem': '', 'key.pem': '' })
  const file = join(dir, 'pipegate.yaml')
  t.match(loadConfig({ flags: { config: file }, env: {} }), {
    tlsCert: join(dir, 'cert.pem'),
    tlsKey: join(dir, 'key.pem'),
    tlsSni: [{ cert: join(dir, 'key.pem'), key: join(dir, 'cert.pem') }],
  })
  const fromHere = relative(process.cwd(), join(dir, 'cert.pem'))
  t.equal(loadConfig({ flags: { config: file, tlsCert: fromHere }, env: {} }).tlsCert, join(dir, 'cert.pem'))
})

t.test('public listens on every address, and goes with no other one', async (t) => {
  const every = Object.values(networkInterfaces())
    .flat()
    .some((each) => each?.family === 'IPv6')
    ? '::'
    : '0.0.0.0'
  t.match(load({ public: 'true' }), { public: true, host: every })
  t.match(load({ public: 'false' }), { public: false, host: '127.0.0.1' })
  for (const host of ['::', '0.0.0.0']) t.match(load({ public: 'true', host }), { host }, 'which --print-config writes')
  t.match(loadConfigWithOrigins({ flags: { public: 'true' }, env: {} }).origins.host, {
    source: 'flag',
    name: '--public',
  })
  t.equal(
    refusal({ public: 'true', host: '192.0.2.1' }).message,
    'configuration: --public, --host: found public and host "192.0.2.1", expected one of them, or host :: or 0.0.0.0',
  )
  t.equal(
    refusal({ open: 'true' }).message,
    'configuration: --open: found open without public, expected public as well',
  )
  t.equal(
    refusal({ public: 'true', open: 'true' }, { PIPEGATE_TOKEN_FILE: pem('a.pem') }).message,
    'configuration: --open, PIPEGATE_TOKEN_FILE: found open and tokenFile, expected one of them',
  )
  t.match(refusal({ tokenFile: '/no/such' }).message, /^configuration: --token-file: found "\/no\/such" \(ENOENT/)
})
