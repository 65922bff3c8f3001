/** Rights by certificates, shown by real clients. */

import { X509Certificate } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import { definePlugin, jsonAnswer, PLUGIN_API, type Plugin, z } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import { CertificateTable } from '../../../plugins/auth-cert/certificate-table.js'
import { entriesSchema } from '../../../plugins/auth-cert/entries.js'
import authCert from '../../../plugins/auth-cert/index.js'
import { Authority } from '../../support/authority.js'
import type { CertificateFiles } from '../../support/certificate.js'
import { ask, ca, clientFlags, folder } from '../../support/client-certificates.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'

t.jobs = 3

const anna = ca.issue({ name: 'anna', names: 'email:anna@example.org' })
const agent = ca.issue({ name: 'agent-7', names: 'DNS:seven.agents.example.org,DNS:agent-7.internal' })
const workload = ca.issue({ name: 'workload', subject: '/O=Example', names: 'URI:spiffe://example.org/jobs/backup' })
const pinned = ca.issue({ name: 'pinned', subject: '/CN=agent-8' })
const nobody = ca.issue({ name: 'nobody' })
const fingerprintOf = ({ cert }: CertificateFiles) => new X509Certificate(readFileSync(cert)).fingerprint256

/** Shows who it is. */
const me = definePlugin({
  name: 'me',
  api: PLUGIN_API,
  after: ['auth-cert', 'auth-bearer'],
  config: z.strictObject({}),
  setup: () => ({
    modes: [
      {
        param: 'me',
        handle: (_request, reply, join) =>
          void reply.give(jsonAnswer(200, { ...join.identity, rights: [...(join.identity?.rights ?? [])] })),
      },
    ],
  }),
})

const ENTRIES = [
  { name: 'pinned', fingerprint: fingerprintOf(pinned), project: 'one', rights: ['watch'] },
  { name: 'people', email: '*@example.org', project: 'one' },
  { name: 'agents', dns: '*.Agents.example.org', project: 'one', rights: ['send', 'watch'], names: ['jobs/*'] },
  { name: 'jobs', uri: 'spiffe://example.org/jobs/*', project: 'two' },
]

function start(
  t: Test,
  auth: 'required' | 'optional',
  config: object = {},
  others: readonly LoadedPlugin[] = [],
): Promise<Running> {
  const plugin = authCert as unknown as Plugin
  const plugins = [
    ...others,
    { plugin, config: { certificates: ENTRIES, ...config } },
    { plugin: me as unknown as Plugin, config: {} },
  ]
  return startGateway(t, clientFlags(auth), { tls: true, plugins })
}

const who = async (gw: Running, shown?: CertificateFiles, name = 'jobs/1', ...args: readonly string[]) => {
  const { status, code, text } = await ask(gw.url(`${name}?me`), shown, ...args)
  return status === 200 ? JSON.parse(text) : { status, code, text }
}

t.test('each certificate is what the first entry says that fits it', async (t) => {
  const gw = await start(t, 'required')
  const all = ['send', 'receive', 'watch']
  t.match(await who(gw, anna), { project: 'one', subject: 'anna@example.org', rights: all })
  t.match(await who(gw, agent), { project: 'one', subject: 'seven.agents.example.org', rights: ['send', 'watch'] })
  t.match(await who(gw, workload), { project: 'two', subject: 'spiffe://example.org/jobs/backup', rights: all })
  t.match(await who(gw, pinned), { project: 'one', subject: 'pinned', rights: ['watch'] })
  t.match(await who(gw, nobody), {
    status: 403,
    code: 'AUTH_CERT_UNKNOWN',
    text: 'The certificate of "CN=nobody" is good, and nothing is allowed to it.',
  })
  t.match(await who(gw), { status: 403, code: 'NO_CLIENT_CERTIFICATE' })
  t.match(await who(gw, agent, 'other'), {
    code: 'AUTH_CERT_NO_NAME',
    text: 'Certificates of "agents" are not for this name. Use a name that fits jobs/*',
  })
  const taken = await ask(gw.url('jobs/1?wait=1'), agent)
  t.match(taken, { code: 'AUTH_CERT_NO_RIGHT', text: 'may not receive: their rights are send, watch' })
})

t.test('projects are apart, and transfers go on within them', async (t) => {
  const gw = await start(t, 'required')
  const own = ({ cert, key }: CertificateFiles) => ['-k', '--cert', cert, '--key', key]
  const other = curl([...own(workload), gw.url('jobs/1?wait=2')])
  const receiver = curl([...own(anna), gw.url('jobs/1')])
  const sender = await curlDone([...own(agent), '-T', '-', gw.url('jobs/1')], { input: 'for anna' })
  t.same([sender.code, (await receiver.result).stdout.toString()], [0, 'for anna'])
  t.match((await other.result).stdout.toString(), /\[ERROR\]/)
})

t.test('optional: who has none is anonymous, as far as that goes', async (t) => {
  const gw = await start(t, 'optional', { anonymous: ['watch'] })
  t.match(await who(gw), { project: '', subject: 'anonymous', rights: ['watch'], anonymous: true })
  t.equal((await ask(gw.url('x?wait=1'))).code, 'AUTH_CERT_MISSING')
  t.match(await who(gw, anna), { subject: 'anna@example.org' })
  t.equal(gw.gateway.everybodyAuthenticates, false)
  const strict = await start(t, 'optional')
  t.equal((await who(strict)).code, 'AUTH_CERT_MISSING')
  t.equal(strict.gateway.everybodyAuthenticates, true)
})

t.test('with tokens: what a request says outranks its connection', async (t) => {
  const { token, hash } = newToken()
  const bearer = (config: object = {}) => ({
    plugin: authBearer as unknown as Plugin,
    config: { tokens: [{ name: 'ci', project: 'three', hash }], ...config },
  })
  const gw = await start(t, 'optional', {}, [bearer()])
  const by = (text: string) => ['-H', `Authorization: Bearer ${text}`]
  t.match(await who(gw, anna), { subject: 'anna@example.org' })
  t.match(await who(gw, anna, 'jobs/1', ...by(token)), { project: 'three', subject: 'ci' })
  t.match(await who(gw, undefined, 'jobs/1', ...by(token)), { project: 'three', subject: 'ci' })
  t.match(await who(gw, nobody, 'jobs/1', ...by(token)), { project: 'three', subject: 'ci' })
  t.match(await who(gw, anna, 'jobs/1', ...by('a-token-that-is-not-known')), { code: 'AUTH_BEARER_UNKNOWN' })
  for (const shown of [nobody, undefined]) t.match(await who(gw, shown), { code: 'AUTH_BEARER_MISSING' })
  t.equal(gw.gateway.everybodyAuthenticates, true)
  const open = await start(t, 'optional', {}, [bearer({ anonymous: ['watch'] })])
  t.match(await who(open, nobody), { subject: 'anonymous' })
  t.equal(open.gateway.everybodyAuthenticates, false)
})

t.test("a page of another site cannot use a browser's certificate", async (t) => {
  const gw = await start(t, 'required')
  const foreign = (...fields: readonly string[]) => fields.flatMap((field) => ['-H', field])
  for (const headers of [
    foreign('Origin: https://evil.example', 'Sec-Fetch-Site: cross-site'),
    foreign('Origin: https://evil.example'),
    foreign('Sec-Fetch-Site: same-site', 'Sec-Fetch-Dest: image'),
  ]) {
    t.equal((await who(gw, anna, 'jobs/1', ...headers)).code, 'AUTH_CERT_CROSS_SITE')
  }
  t.match(await who(gw, anna, 'jobs/1', ...foreign('Sec-Fetch-Site: same-origin')), { subject: 'anna@example.org' })
})

t.test('a file of them is read again', async (t) => {
  const file = join(t.testdir({ 'certs.yaml': '[{ name: people, email: "*@example.org" }]' }), 'certs.yaml')
  const gw = await start(t, 'required', { certificates: [], file })
  t.match(await who(gw, anna), { subject: 'anna@example.org' })
  t.equal((await who(gw, nobody)).code, 'AUTH_CERT_UNKNOWN')
  const write = (text: string) => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  const said = (msg: string) => gw.lines.some((line) => line.msg === msg)
  write('[{ name: nobody, commonName: nobody }]')
  await eventually(() => said('the file of certificates has been read again') || 'not yet')
  t.match(await who(gw, nobody), { subject: 'nobody' })
  t.equal((await who(gw, anna)).code, 'AUTH_CERT_UNKNOWN')
  write('[{ name: nobody }]')
  await eventually(() => said('the file of certificates is broken; the certificates from before stay') || 'not yet')
  t.match(await who(gw, nobody), { subject: 'nobody' })
})

t.test('what stops the start', async (t) => {
  const problem = (config: object, flags = clientFlags('required')) =>
    startGateway(t, flags, { tls: true, plugins: [{ plugin: authCert as unknown as Plugin, config }] }).then(
      () => 'it started',
      (error: Error) => error.message,
    )
  const entry = (more: object) => ({ certificates: [{ name: 'one', ...more }] })
  const hex = 'ab'.repeat(32)
  for (const [config, expected] of [
    [{}, /found no certificates/],
    [entry({}), /exactly one of commonName, dns, email, uri, fingerprint/],
    [entry({ dns: 'a', uri: 'b' }), /exactly one of/],
    [entry({ cn: 'a' }), /the known ones are "name", "project", "rights", "names", "commonName"/],
    [entry({ fingerprint: 'abc' }), /64 hex digits, with colons or without/],
    [entry({ dns: '*.*.*.*' }), /at most three/],
    [entry({ commonName: 'a\nb' }), /expected a pattern such as agent-\*/],
    [
      {
        certificates: [
          { name: 'a', dns: 'a' },
          { name: 'a', dns: 'b' },
        ],
      },
      /two entries with the name "a"/,
    ],
    [
      {
        certificates: [
          { name: 'a', fingerprint: hex },
          { name: 'b', fingerprint: `sha256:${hex.toUpperCase()}` },
        ],
      },
      /"a" and "b" are for the same/,
    ],
    [{ file: '/nowhere' }, /\/nowhere: cannot be read \(ENOENT\); expected a list of certificates/],
  ] as const) {
    t.match(await problem(config), expected)
  }
  const { tlsClientAuth, tlsClientCa, ...plain } = clientFlags('required')
  t.match(
    await problem(entry({ dns: 'a' }), plain),
    /no client would be asked for a certificate; set tlsClientAuth and/,
  )
})

t.test('patterns', async (t) => {
  const certificate = (commonName: string, ...names: readonly [kind: 'dns' | 'email' | 'uri', value: string][]) => ({
    subject: '',
    commonName,
    alternativeNames: names.map(([kind, value]) => ({ kind, value })),
    fingerprint: '',
    serial: '',
    issuer: '',
    validFrom: 0,
    validTo: 0,
  })
  const find = (entry: object, shown: ReturnType<typeof certificate>) =>
    new CertificateTable(entriesSchema.parse([{ name: 'x', ...entry }])).find(shown)?.subject
  for (const [pattern, fits, others] of [
    ['agent-*', ['agent-', 'agent-7', 'agent-7.x'], ['agent', 'agent-7/8', 'xagent-7', 'Agent-7', '']],
    ['**', ['a', 'a/b', 'Jürgen Groß'], ['', 'a\u0000', 'a\nb', 'a\u202eb', 'a\u2028b', 'x'.repeat(257)]],
    ['a.b+c', ['a.b+c'], ['aXb+c', 'a.bbc']],
  ] as const) {
    const found = [...fits, ...others].filter((name) => find({ commonName: pattern }, certificate(name)) !== undefined)
    t.same(found, fits, pattern)
  }
  t.equal(find({ dns: '*.example.org' }, certificate('', ['dns', 'A.Example.org'])), 'a.example.org')
  t.equal(find({ dns: '*.example.org' }, certificate('', ['dns', 'a.b.example.org'])), undefined, 'one label')
  t.equal(find({ dns: '**.example.org' }, certificate('', ['dns', 'a.b.example.org'])), 'a.b.example.org')
  t.equal(find({ dns: 'a' }, certificate('a', ['uri', 'a'], ['email', 'a'])), undefined, 'of another kind')
  t.equal(find({ uri: 'a:b/*' }, certificate('', ['uri', 'x'], ['uri', 'a:b/c'])), 'a:b/c', 'the second of its kind')
  t.equal(find({ commonName: '**' }, certificate('', ['dns', 'a'])), undefined, 'none')
})

t.test('without rights for anybody, another authority changes nothing', async (t) => {
  const impostor = new Authority(folder, 'impostor').issue({ name: 'anna-too', names: 'email:anna@example.org' })
  const gw = await start(t, 'optional')
  t.equal((await who(gw, impostor)).code, 'BAD_CLIENT_CERTIFICATE')
})
