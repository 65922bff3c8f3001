/** Which certificates of clients count, and what plugins are told of them. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { definePlugin, PLUGIN_API, type Plugin, textAnswer, z } from '../../../gateway/host/plugin-api.js'
import { Authority, moment } from '../../support/authority.js'
import {
  ask,
  ca,
  clientFlags,
  fileWith,
  folder,
  Kept,
  otherCa,
  startWho,
  whoPlugin,
} from '../../support/client-certificates.js'
import { curl, curlDone } from '../../support/curl.js'
import { startGateway } from '../../support/gateway.js'
import { runProgram, startProgram } from '../../support/program.js'

t.jobs = 3

const DAY = 86_400_000
const anna = ca.issue({
  name: 'anna',
  subject: '/O=Example, Inc./CN=anna',
  names: 'DNS:anna.example.org,URI:spiffe://example.org/anna,email:anna@example.org,IP:192.0.2.1,IP:2001:db8::1',
})
const stranger = otherCa.issue({ name: 'stranger' })
const between = new Authority(folder, 'between', ca)
const below = between.issue({ name: 'below' })
const chain = { cert: fileWith(readFileSync(below.cert, 'utf8') + between.pem), key: below.key }

t.test('which certificates count, required and optional', async (t) => {
  const old = ca.issue({ name: 'old', dates: ['20200101000000Z', '20210101000000Z'] })
  const future = ca.issue({ name: 'future', dates: [moment(Date.now() + DAY), moment(Date.now() + 2 * DAY)] })
  const forServers = ca.issue({ name: 'for-servers', extensions: ['extendedKeyUsage=serverAuth'] })
  const forClients = ca.issue({ name: 'for-clients', extensions: ['extendedKeyUsage=clientAuth'] })
  const underLeaf = Authority.like(ca, anna).issue({ name: 'under-leaf' })
  const ofLeaf = {
    cert: fileWith(readFileSync(underLeaf.cert, 'utf8') + readFileSync(anna.cert, 'utf8')),
    key: underLeaf.key,
  }
  const required = await startWho(t, 'required')
  const optional = await startWho(t, 'optional')
  for (const [what, shown, found] of [
    ['good', anna, ''],
    ['for clients', forClients, ''],
    ['with one between', chain, ''],
    ['without the one between', below, 'unable to get local issuer certificate'],
    ['of another authority', stranger, 'unable to get local issuer certificate'],
    ['expired', old, 'certificate has expired'],
    ['of tomorrow', future, 'certificate is not yet valid'],
    ['for servers', forServers, 'unsuitable certificate purpose'],
    ["with a client's certificate as its authority", ofLeaf, 'invalid CA certificate'],
  ] as const) {
    for (const gateway of [required, optional]) {
      const said = await ask(gateway.url('who'), shown)
      if (found === '') t.match(said, { status: 200, text: /"fingerprint":"[0-9a-f]{64}"/ }, what)
      else t.match(said, { status: 403, code: 'BAD_CLIENT_CERTIFICATE', text: found }, what)
    }
  }
  t.match(await ask(required.url('who')), { status: 403, code: 'NO_CLIENT_CERTIFICATE', text: /with curl: --cert/ })
  t.match(await ask(optional.url('who')), { status: 200, text: /^null/ })
})

t.test('an authority between is trusted for itself, and those beside it are not', async (t) => {
  const { url } = await startWho(t, 'required', { tlsClientCa: between.cert })
  t.equal((await ask(url('who'), below)).status, 200)
  t.equal((await ask(url('who'), anna)).code, 'BAD_CLIENT_CERTIFICATE')
  const both = await startWho(t, 'required', { tlsClientCa: fileWith(ca.pem + otherCa.pem) })
  for (const shown of [anna, stranger, chain]) t.equal((await ask(both.url('who'), shown)).status, 200)
})

t.test('what plugins are told', async (t) => {
  const { url } = await startWho(t, 'required')
  const told = JSON.parse((await ask(url('who'), anna)).text)
  t.match(told, {
    subject: 'CN=anna,O=Example\\, Inc.',
    commonName: 'anna',
    alternativeNames: [
      { kind: 'dns', value: 'anna.example.org' },
      { kind: 'uri', value: 'spiffe://example.org/anna' },
      { kind: 'email', value: 'anna@example.org' },
      { kind: 'ip', value: '192.0.2.1' },
      { kind: 'ip', value: '2001:DB8:0:0:0:0:0:1' },
    ],
    serial: /^[0-9A-F]+$/,
    issuer: 'CN=ca',
  })
  t.ok(told.validFrom < Date.now() && Date.now() < told.validTo && told.validTo < Date.now() + 3 * DAY)
  const nobody = ca.issue({ name: 'nobody', subject: '/O=Example' })
  t.match(JSON.parse((await ask(url('who'), nobody)).text), { commonName: '', alternativeNames: [] })
  const two = ca.issue({ name: 'two', subject: '/CN=one/CN=other' })
  t.match(JSON.parse((await ask(url('who'), two)).text), { commonName: '' })
})

t.test('a transfer, with curl on both sides', async (t) => {
  const { url } = await startWho(t, 'required')
  const own = ['-k', '--cert', anna.cert, '--key', anna.key]
  const receiver = curl([...own, url('met')])
  const sender = await curlDone([...own, '-T', '-', url('met')], { input: 'both known' })
  t.same([sender.code, (await receiver.result).stdout.toString()], [0, 'both known'])
  const refused = await curlDone(['-k', '-T', '-', url('met')], { input: Buffer.alloc(1_000_000) })
  t.match(refused.stdout.toString(), /^\[ERROR\] This gateway asks clients for a certificate/)
})

t.test('health is for everybody, and nothing else is', async (t) => {
  const claims = definePlugin({
    name: 'claims',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup: () => ({
      claims: [{ claims: () => true, handle: (_request, _body, reply) => void reply.give(textAnswer(200, 'claimed')) }],
      routes: [
        { method: 'GET', path: '/health', handle: (_request, reply) => void reply.give(textAnswer(200, 'routed')) },
      ],
    }),
  })
  const plugins = [{ plugin: claims as unknown as Plugin, config: {} }]
  const claimed = await startGateway(t, clientFlags('required'), { tls: true, plugins })
  t.match(await ask(claimed.url('health'), anna), { status: 200, text: 'claimed' })
  t.match(await ask(claimed.url('health')), { status: 200, text: /"status"/ })
  t.match(await ask(claimed.url('health'), stranger), { status: 200, text: /"status"/ })
  const plain = await startWho(t, 'required')
  for (const [name, ...args] of [
    ['healthy'],
    ['health/'],
    ['health', '-X', 'POST'],
    ['health', '-T', '/etc/hostname'],
    ['version'],
    ['help'],
    ['some?progress'],
  ] as const) {
    t.equal((await ask(plain.url(name), undefined, ...args)).code, 'NO_CLIENT_CERTIFICATE', [name, ...args].join(' '))
  }
  t.equal((await ask(`${plain.origin}/health`)).code, 'NO_CLIENT_CERTIFICATE')
})

t.test('pipegate health, where certificates are required', async (t) => {
  const flags = clientFlags('required') as Record<string, string>
  const args = [
    '--tls-cert',
    flags.tlsCert!,
    '--tls-key',
    flags.tlsKey!,
    '--tls-client-auth',
    'required',
    '--tls-client-ca',
    ca.cert,
  ]
  for (const more of [[], ['--prefix', 'off']]) {
    const program = await startProgram(t, [...args, ...more])
    t.equal((await runProgram(t, ['health', ...args, ...more, '--port', String(program.port)])).code, 0)
  }
})

t.test('one connection after the other on a socket of the same number is not the one before', async (t) => {
  const { port } = await startWho(t, 'optional')
  for (const [shown, name] of [
    [anna, 'anna'],
    [chain, 'below'],
    [undefined, 'nobody'],
    [anna, 'anna'],
  ] as const) {
    const kept = await Kept.open(t, port, shown)
    t.same([await kept.name(), await kept.name()], [name, name])
    kept.socket.destroy()
  }
})

t.test('several threads: each knows the client, whatever thread its connection comes from', async (t) => {
  const plugin = join(t.testdir({}), 'who.mjs')
  const api = new URL('../../../gateway/host/plugin-api.js', import.meta.url)
  writeFileSync(
    plugin,
    `import { definePlugin, PLUGIN_API, z, textAnswer } from '${api}'
     export default definePlugin({ name: 'who', api: PLUGIN_API, scope: 'thread', config: z.strictObject({}), setup: () => ({ hooks: {
       onAdmit: (_request, join) => textAnswer(200, String(join.clientCertificate?.commonName)) } }) })`,
  )
  const yaml = join(t.testdirName, 'pipegate.yaml')
  const flags = clientFlags('optional') as Record<string, string>
  const settings = Object.entries(flags).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
  writeFileSync(yaml, `${settings.join('')}threads: 2\nplugins: [{ plugin: ./who.mjs }]\n`)
  const { port } = await startProgram(t, ['--config', yaml])
  for (const [shown, name] of [
    [anna, 'anna'],
    [chain, 'below'],
    [undefined, 'undefined'],
  ] as const) {
    const kept = await Kept.open(t, port, shown)
    for (const pipe of 'abcdefghij') t.match(await kept.ask(pipe), { status: 200, body: name })
  }
  const kept = await Kept.open(t, port, stranger)
  t.match(await kept.ask('a'), { status: 403, body: /unable to get local issuer/ })
})

/** Why a gateway with these settings does not start. */
async function problem(t: Test, more: object): Promise<string> {
  return startGateway(t, clientFlags('required', more), { tls: true, plugins: [whoPlugin] }).then(
    () => 'it started',
    (error: Error) => error.message,
  )
}

t.test('what cannot be used is told in one sentence, before the port opens', async (t) => {
  const leaf = anna.cert
  for (const [settings, expected] of [
    [{ tlsClientCa: leaf }, /anna\.pem has the certificate of CN=anna, O=Example\\, Inc\., which is no authority$/],
    [{ tlsClientCa: ca.key }, /ca\.key has a private key in it; only the certificates of authorities belong there$/],
    [
      { tlsClientCa: fileWith('nothing') },
      /some\.pem has no certificate in PEM form, expected those of the authorities/,
    ],
    [{ tlsClientCa: fileWith(ca.pem.replace(/\n.{20}/, '\n')) }, /some\.pem has a certificate that cannot be read$/],
    [{ tlsClientCrl: ca.cert }, /ca\.pem has no revocation list in PEM form \("openssl crl -inform DER"/],
    [
      { tlsClientCrl: fileWith(otherCa.list()) },
      /tlsClientCrl has a list by CN = other, which no authority in tlsClientCa has/,
    ],
    [{ tlsClientCrl: fileWith(ca.list().replace(/\n.{20}/, '\n')) }, /tlsClientCrl has a list that cannot be read$/],
    [
      { tlsClientCrl: fileWith(ca.list()), tlsClientCa: fileWith(ca.pem + otherCa.pem) },
      /tlsClientCrl has no list by CN = other, so that none of its clients could be let in$/,
    ],
    [
      { socketHelper: 'off' },
      /found tlsClientAuth without socketHelper, what the engine's own TLS cannot do, expected both/,
    ],
  ] as const) {
    const message = await problem(t, settings)
    t.match(message, expected)
    t.notMatch(message, /\n/)
  }
  const flags = clientFlags('required') as Record<string, string>
  const args = ['--tls-cert', flags.tlsCert!, '--tls-key', flags.tlsKey!, '--tls-client-auth', 'optional']
  const check = (...more: string[]) => runProgram(t, ['check', ...args, ...more])
  t.match(await check('--tls-client-ca', leaf), { code: 1, stderr: /^pipegate: [^\n]+ is no authority\n$/ })
  t.match(await check('--tls-client-ca', ca.cert, '--socket-helper=no'), { code: 1, stderr: /without socketHelper/ })
  t.match(await check('--tls-client-ca', ca.cert), { code: 0 })
  // With optional somebody may come who has shown nothing.
  t.match(await check('--tls-client-ca', ca.cert, '--public'), { code: 2, stderr: /Say who may/ })
  t.match(await check('--tls-client-ca', ca.cert, '--public', '--tls-client-auth', 'required'), { code: 0 })
})
