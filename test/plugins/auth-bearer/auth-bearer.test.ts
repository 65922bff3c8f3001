/** Tokens: what is read, found, refused and kept apart, by its parts and then over real connections. */

import { createHash } from 'node:crypto'
import { renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { NamePattern, PLUGIN_API, type Plugin, z } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import { digestOf, type TokenGrant, TokenTable } from '../../../plugins/auth-bearer/token-table.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { pluginOfFile } from '../../support/threads/served.js'
import { medianRatio } from '../timing.js'

const ALL = newToken()
const OTHER = newToken()
const LOOKER = newToken()
const PLAIN = 'plain-token-of-30-characters..'

const peek = await pluginOfFile(new URL('../in-files/peek.js', import.meta.url))

const TOKENS = [
  { name: 'all', hash: ALL.hash, project: 'one' },
  { name: 'other', hash: OTHER.hash, project: 'two' },
  { name: 'looker', hash: LOOKER.hash, project: 'one', rights: ['watch'], names: ['jobs/*', 'logs/**'] },
  { name: 'plain', token: PLAIN },
]

function start(t: Test, config: Record<string, unknown> = {}, more: { plugin: Plugin }[] = []): Promise<Running> {
  const plugin = authBearer as unknown as Plugin
  const plugins = [{ plugin, config: { tokens: TOKENS, ...config } }, peek, ...more]
  return startGateway(t, { logLevel: 'trace' }, { plugins })
}

/** Why a gateway with this configuration does not start. */
function problemOf(t: Test, config: Record<string, unknown>): Promise<string> {
  return start(t, { tokens: [], ...config }).then(
    () => 'it started',
    (error: Error) => error.message,
  )
}

interface Said {
  readonly status: number
  readonly code: string | undefined
  readonly text: string
  readonly challenges: readonly string[]
}

/** One request with these header lines as they are, and its answer. */
async function ask(gw: Running, target: string, headers: readonly string[] = [], method = 'GET'): Promise<Said> {
  const client = await connect({ port: gw.port })
  const length = method === 'PUT' ? ['Content-Length: 0'] : []
  await client.send(
    `${[`${method} ${target} HTTP/1.1`, 'Host: pipe.test', ...headers, ...length].join('\r\n')}\r\n\r\n`,
  )
  const { status, headers: got, body } = await client.waitForResponse()
  client.destroy()
  const challenges = got['www-authenticate'] ?? []
  return { status, code: got['x-pipe-code']?.[0], text: body.toString('latin1'), challenges }
}

const bearer = (token: string) => `Authorization: Bearer ${token}`
const basic = (token: string, user = '') => `Authorization: Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`

t.test('name patterns', async (t) => {
  const cases: readonly [glob: string, fits: readonly string[], others: readonly string[]][] = [
    ['jobs', ['jobs'], ['job', 'jobs/', 'jobs/a', 'Jobs', 'ajobs']],
    ['jobs/*', ['jobs/a', 'jobs/'], ['jobs', 'jobs/a/b', 'xjobs/a']],
    ['logs/**', ['logs/', 'logs/a', 'logs/a/b'], ['logs', 'log/a']],
    ['*', ['a', 'a.b'], ['a/b']],
    ['**', ['a', 'a/b/c'], []],
    ['**/end', ['a/end', 'a/b/end', '/end'], ['end', 'a/ends']],
    ['a*b*c', ['abc', 'axbxbc'], ['ab', 'abcd', 'a/bc']],
    ['a.b', ['a.b'], ['axb']],
    ['café/%c3*', ['caf%C3%A9/%C3%A9'], ['café/%c3', 'caf%C3%A9/x']],
  ]
  for (const [glob, fits, others] of cases) {
    const fit = (name: string) => new NamePattern(glob).covers(name)
    t.same([...fits, ...others].filter(fit), fits, glob)
  }
  const before = performance.now()
  t.notOk(
    new NamePattern('*a'.repeat(40)).covers(`${'a'.repeat(1023)}b`),
    'a pattern that is slow as a regular expression',
  )
  t.ok(performance.now() - before < 2000, 'is not slow here')
})

t.test('the time of a look-up tells nothing about the tokens', async (t) => {
  // Long tokens that differ only at their end: where the right ones were compared, a right beginning would take longer.
  const start = 'a'.repeat(2000)
  const tokens = Array.from({ length: 400 }, (_, i) => `${start}${String(i).padStart(6, '0')}`)
  const grants = tokens.map(
    (token, i): TokenGrant => ({
      name: `t${i}`,
      project: '',
      rights: new Set(),
      names: undefined,
      digest: digestOf(token),
    }),
  )
  const table = new TokenTable(grants)
  const look = (token: string) => () => table.find(token)
  const nothing = 'b'.repeat(start.length + 6)
  const pairs: readonly [string, () => unknown, () => unknown][] = [
    ['a right beginning and nothing right', look(`${start}999999`), look(nothing)],
    ['the first token and none', look(tokens[0]!), look(nothing)],
    ['the first token and the last', look(tokens[0]!), look(tokens[399]!)],
  ]
  for (const [name, one, other] of pairs) {
    const ratio = await medianRatio(one, other)
    t.ok(Math.abs(ratio - 1) < 0.15, `${name}: ${ratio.toFixed(3)}`)
  }
})

t.test('a table finds each token, and has none twice', async (t) => {
  const grant = (name: string, token: string): TokenGrant => {
    return { name, project: '', rights: new Set(), names: undefined, digest: digestOf(token) }
  }
  const table = new TokenTable([grant('a', 'x'), grant('b', 'y'), grant('c', 'z')])
  t.same(
    ['x', 'y', 'z', '', 'X', 'xy'].map((token) => table.find(token)?.name),
    [...'abc', ...Array(3).fill(undefined)],
  )
  t.throws(() => new TokenTable([grant('a', 'x'), grant('a', 'y')]), /two tokens with the name "a"/)
  t.throws(() => new TokenTable([grant('a', 'x'), grant('b', 'x')]), /"a" and "b" are the same/)
})

t.test('a new token, and its hash', async (t) => {
  const { token, hash } = newToken()
  t.match(token, /^pg_[\w-]{43}$/)
  t.equal(hash, `sha256:${createHash('sha256').update(token).digest('hex')}`)
  t.not(newToken().token, token)
})

t.test('what stops the start, and does not show a token', async (t) => {
  const secret = 'S3CRET-VALUE-0123456789'
  t.teardown(() => {
    delete process.env.PIPE_TEST_TOKEN
  })
  process.env.PIPE_TEST_TOKEN = secret.slice(0, 19)
  const dir = t.testdir({
    'bad.yaml': `- name: a\n  token: "${secret}\n`,
    'key.yaml': `- ${secret}: 1\n  name: x\n`,
    'empty.yaml': '',
    'tag.yaml': `- name: a\n  token: !${secret} x\n`,
  })
  const one = (entry: object) => ({ tokens: [{ name: 'a', ...entry }] })
  const cases: readonly [object, RegExp][] = [
    [{}, /config: found no tokens/],
    [{ tokens: secret }, /config\.tokens: expected a list of tokens/],
    [{ tokens: [secret] }, /config\.tokens\[0\]: expected a mapping/],
    [one({}), /tokens\[0\]: expected exactly one of hash, token and env/],
    [one({ token: secret, hash: ALL.hash }), /exactly one of/],
    [one({ [secret]: 1 }), /a key that is unknown/],
    [{ file: 'x', [secret]: 1 }, /a key that is unknown/],
    [one({ hash: secret }), /hash: expected sha256:<64 hex digits>/],
    [one({ hash: `${ALL.hash}0` }), /hash: expected/],
    [one({ token: secret.slice(0, 19) }), /token "a" has 19 characters, expected at least 20/],
    [one({ token: `${secret} ${secret}` }), /characters that no token has/],
    [one({ env: 'PIPE_TEST_UNSET' }), /variable that is not set/],
    [one({ env: 'PIPE_TEST_TOKEN' }), /from its variable, has 19 characters/],
    [one({ token: secret, rights: [secret] }), /rights\[0\]: expected one of "send", "receive", "watch"/],
    [one({ token: secret, names: [] }), /names: expected at least one/],
    [one({ token: secret, names: ['/a'] }), /without a slash in front/],
    [one({ token: secret, project: 'a b' }), /project: expected/],
    [{ tokens: [TOKENS[0], { ...TOKENS[1], name: 'all' }] }, /two tokens with the name "all"/],
    [{ tokens: [TOKENS[0], { ...TOKENS[0], name: 'b' }] }, /"all" and "b" are the same/],
    [
      {
        tokens: [
          { name: 'a', token: secret },
          { name: 'b', hash: `sha256:${digestOf(secret).toString('hex')}` },
        ],
      },
      /are the same/,
    ],
    [{ file: join(dir, 'none.yaml') }, /none\.yaml: cannot be read \(ENOENT\)/],
    [{ file: join(dir, 'bad.yaml') }, /bad\.yaml:\d+:\d+: not YAML \(/],
    [{ file: join(dir, 'tag.yaml') }, /tag\.yaml:2:10: not YAML \(TAG_RESOLVE_FAILED\)/],
    [{ file: join(dir, 'key.yaml') }, /key\.yaml: \[0\]: found a key that is unknown/],
    [{ file: join(dir, 'empty.yaml') }, /empty\.yaml: is empty/],
  ]
  for (const [config, says] of cases) {
    const problem = await problemOf(t, config as Record<string, unknown>)
    t.match(problem, says)
    t.notMatch(problem, /S3CRET/, String(says))
  }
})

t.test('who may do what', async (t) => {
  process.env.PIPE_TEST_TOKEN = 'from-the-environment-1'
  t.teardown(() => {
    delete process.env.PIPE_TEST_TOKEN
  })
  const gw = await start(t, { tokens: [...TOKENS, { name: 'env', env: 'PIPE_TEST_TOKEN', rights: ['watch'] }] })
  for (const [header, identity] of [
    [bearer(ALL.token), { project: 'one', subject: 'all' }],
    [`authorization: bEaReR ${ALL.token}`, { project: 'one', subject: 'all' }],
    [bearer(PLAIN), { project: '', subject: 'plain' }],
    [bearer('from-the-environment-1'), { project: '', subject: 'env' }],
    [basic(ALL.token), { project: 'one', subject: 'all' }],
    [basic(ALL.token, 'anybody'), { project: 'one', subject: 'all' }],
  ] as const) {
    const { status, text } = await ask(gw, '/jobs/a?peek', [header])
    t.match([status, JSON.parse(text)], [200, { state: 'idle', identity }], header.slice(0, 22))
  }
  const right = await ask(gw, '/jobs/a', [bearer(LOOKER.token)])
  t.match(right, {
    status: 403,
    code: 'AUTH_BEARER_NO_RIGHT',
    text: /"looker" may not receive: its rights are watch\./,
  })
  const put = await ask(gw, '/jobs/a', [bearer(LOOKER.token)], 'PUT')
  t.match(put, { status: 403, code: 'AUTH_BEARER_NO_RIGHT', text: /may not send.*the right "send"/ })
  t.match(await ask(gw, '/logs/a/b?peek', [bearer(LOOKER.token)]), { status: 200 })
  const name = await ask(gw, '/jobs/a/b?peek', [bearer(LOOKER.token)])
  t.match(name, { status: 403, code: 'AUTH_BEARER_NO_NAME', text: /a name that fits jobs\/\* or logs\/\*\*/ })
  const json = await ask(gw, '/jobs/a', [bearer(LOOKER.token), 'Accept: application/json'])
  t.match(JSON.parse(json.text), { error: { code: 'AUTH_BEARER_NO_RIGHT', status: 403 } })
  t.equal((await ask(gw, '/api/v1/pipe/health')).status, 200, 'health asks for nothing')
})

t.test('transfers by curl: header on one side, password on the other', async (t) => {
  const gw = await start(t)
  const receiver = curl(['-u', `:${ALL.token}`, gw.url('jobs/a')])
  const sender = await curlDone(['-f', '-H', bearer(ALL.token), '-T', '-', gw.url('jobs/a')], { input: 'hello' })
  t.match([sender.code, (await receiver.result).stdout.toString()], [0, 'hello'])
  const without = await curlDone(['-i', gw.url('jobs/a')])
  t.match(without.stdout.toString(), /^HTTP\/1.1 401 [\s\S]*WWW-Authenticate: Bearer realm="pipegate"\r\n/i)
  t.match((await curlDone(['-f', '-T', '-', gw.url('a')], { input: 'x' })).code, 22)
})

t.test('header tricks', async (t) => {
  const gw = await start(t)
  const { token } = ALL
  const say = async (...headers: string[]) => ask(gw, '/jobs/a?peek', headers)
  const missing = await say()
  t.match(missing, { status: 401, code: 'AUTH_BEARER_MISSING' })
  t.same(missing.challenges, ['Bearer realm="pipegate"', 'Basic realm="pipegate", charset="UTF-8"'])
  for (const [one, two] of [
    [bearer(token), bearer(token)],
    [bearer(token), bearer(OTHER.token)],
    [bearer('x'), bearer(token)],
    [bearer(token), 'AUTHORIZATION: '],
    [bearer(token), basic(token)],
  ]) {
    const said = await say(one!, 'X-Between: 1', two!)
    t.match(said, { status: 400, code: 'AUTH_BEARER_REPEATED', text: /has 2 Authorization headers/ })
  }
  const unknown = await say(bearer(newToken().token))
  t.match(unknown, { status: 401, code: 'AUTH_BEARER_UNKNOWN' })
  t.equal(unknown.challenges[0], 'Bearer realm="pipegate"')
  for (const value of [
    '',
    'Bearer',
    'Bearer ',
    token,
    `Bearer  ${token}`,
    `Bearer\t${token}`,
    `Bearer ${token} x`,
    `Bearer ${token},`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer "${token}"`,
    `Bearer\xa0${token}`,
    `Bearer ${token}=`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}a`,
    `Bearer ${token.toUpperCase()}`,
    `Bearer ${'a'.repeat(5000)}`,
    `Digest ${token}`,
    `Bearer:${token}`,
    `Basic ${token}`,
    'Basic ',
    'Basic Og==',
    `Basic ${btoa(token)}`,
    `Basic ${btoa(`:${token} `)}`,
    `Basic ${btoa(`:${token}`)}!`,
    `Basic ${btoa(`${token}:`)}`,
    `Bearer ${ALL.hash.slice(7)}`,
  ]) {
    t.same(await say(`Authorization: ${value}`), unknown, `"${value.slice(0, 30)}"`)
  }
  t.match(await ask(gw, `/jobs/a?peek&access_token=${token}`), { status: 401 }, 'no token in an address')
})

t.test("a browser's password is not for other sites", async (t) => {
  const gw = await start(t)
  const refused = { status: 403, code: 'AUTH_BEARER_CROSS_SITE' }
  const from = (...headers: string[]) => ask(gw, '/jobs/a?peek', headers)
  t.match(await from(basic(ALL.token), 'Sec-Fetch-Site: cross-site'), refused)
  t.match(await from(basic(ALL.token), 'Sec-Fetch-Site: same-site'), refused)
  t.match(await from(basic(ALL.token), 'Origin: http://evil.test'), refused)
  t.match(await from(basic(ALL.token), 'Origin: null'), refused)
  const form = [basic(ALL.token), 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Dest: document']
  t.match(await ask(gw, '/jobs/a', form, 'PUT'), refused)
  t.match(await from(...form), { status: 200 }, 'a link may be followed')
  t.match(await from(basic(ALL.token), 'Sec-Fetch-Site: same-origin'), { status: 200 })
  t.match(await from(basic(ALL.token), 'Origin: http://pipe.test'), { status: 200 })
  t.match(await from(bearer(ALL.token), 'Sec-Fetch-Site: cross-site'), { status: 200 }, 'a page that has the token')
  const off = await start(t, { basic: false })
  const said = await ask(off, '/jobs/a?peek', [basic(ALL.token)])
  t.match(said, { status: 401, code: 'AUTH_BEARER_UNKNOWN' })
  t.same(said.challenges, ['Bearer realm="pipegate"'])
})

t.test('without a token', async (t) => {
  const gw = await start(t, { anonymous: ['receive', 'watch'] })
  const said = await ask(gw, '/a?peek')
  t.match(JSON.parse(said.text), { identity: { project: '', subject: 'anonymous' } })
  t.match(await ask(gw, '/a', [], 'PUT'), { status: 401, code: 'AUTH_BEARER_MISSING' })
  t.match(await ask(gw, '/a?peek', [bearer('a'.repeat(30))]), { status: 401, code: 'AUTH_BEARER_UNKNOWN' })
})

t.test('what looks like a JWT is for auth-jwt, if that is loaded', async (t) => {
  const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.'
  const passes = { name: 'auth-jwt', api: PLUGIN_API, config: z.strictObject({}), setup: () => ({}) } as const
  t.match(await ask(await start(t), '/a?peek', [bearer(jwt)]), { status: 401, code: 'AUTH_BEARER_UNKNOWN' })
  const gw = await start(t, {}, [{ plugin: passes as unknown as Plugin }])
  t.match(JSON.parse((await ask(gw, '/a?peek', [bearer(jwt)])).text), { identity: null })
  for (const other of [basic(jwt), bearer('a.b'), bearer('a.b~.c'), `Authorization: Bearer  ${jwt}`]) {
    t.match(await ask(gw, '/a?peek', [other]), { status: 401, code: 'AUTH_BEARER_UNKNOWN' })
  }
  t.match(await ask(gw, '/a?peek', [bearer(jwt), bearer(jwt)]), { status: 400 })
})

t.test('a project is a namespace', async (t) => {
  const gw = await start(t)
  const state = async (token: string) => JSON.parse((await ask(gw, '/jobs/a?peek', [bearer(token)])).text).state
  const sender = curl(['-N', '-H', bearer(ALL.token), '-T', '-', gw.url('jobs/a?n=2')], { input: 'for one' })
  await sender.waitFor('Waiting for 2')
  t.same([await state(ALL.token), await state(OTHER.token), await state(PLAIN)], ['waiting', 'idle', 'idle'])
  // The same name, another n, a second sender: nothing of the other project is met.
  const own = curl(['-N', '-H', bearer(OTHER.token), '-T', '-', gw.url('jobs/a')], { input: 'for two' })
  await own.waitFor('Waiting for 1')
  const shared = curl(['-N', '-H', bearer(PLAIN), '-T', '-', gw.url('jobs/a?n=3')], { input: 'for all' })
  await shared.waitFor('Waiting for 3')
  await gw.holds(3, 0)
  const two = await curlDone(['-H', bearer(OTHER.token), gw.url('jobs/a')])
  t.equal(two.stdout.toString(), 'for two')
  t.match((await own.result).code, 0)
  t.same([await state(ALL.token), await state(OTHER.token)], ['waiting', 'idle'])
  const ones = [1, 2].map(() => curlDone(['-H', bearer(ALL.token), gw.url('jobs/a?n=2')]))
  t.same(
    (await Promise.all(ones)).map(({ stdout }) => stdout.toString()),
    ['for one', 'for one'],
  )
  t.equal((await sender.result).code, 0)
  // No spelling of a name leads into a project.
  const hidden = curl(['-N', '-H', bearer(ALL.token), '-T', '-', gw.url('x')], { input: 'x' })
  await hidden.waitFor('Waiting')
  for (const target of ['/one%20x?peek', '/one/x?peek', '/x?peek&project=one']) {
    const { text } = await ask(gw, target, [bearer(PLAIN)])
    t.match(JSON.parse(text), { state: 'idle' }, target)
  }
  for (const left of [hidden, shared]) {
    left.kill()
    await left.result
  }
})

t.test('the file is read again when it changes, and a broken one changes nothing', async (t) => {
  const dir = t.testdir({})
  const file = join(dir, 'tokens.yaml')
  const put = (text: string) => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  const entry = (name: string, hash: string) => `- name: ${name}\n  hash: ${hash}\n`
  put(entry('first', OTHER.hash))
  const gw = await start(t, { tokens: [TOKENS[0]], file })
  const status = async (token: string) => (await ask(gw, '/a?peek', [bearer(token)])).status
  t.same([await status(ALL.token), await status(OTHER.token), await status(LOOKER.token)], [200, 200, 401])
  put(entry('second', LOOKER.hash))
  await eventually(async () => (await status(LOOKER.token)) === 200 || 'the new token is unknown')
  t.same([await status(ALL.token), await status(OTHER.token)], [200, 401], 'and the old one is gone')
  const said = () => gw.lines.filter(({ msg }) => msg.includes('broken')).map(({ problem }) => String(problem))
  const broken: readonly [string, RegExp][] = [
    [`- name: x\n  token: "${PLAIN}\n`, /tokens\.yaml:\d+:\d+: not YAML/],
    [`- name: x\n  ${PLAIN}: y\n`, /a key that is unknown/],
    [`- name: x\n  token: &a ${PLAIN}\n  env: *b\n`, /tokens\.yaml/],
    ['', /is empty/],
    [`- name: ${'x'.repeat(20)}\n  token: short\n`, /has 5 characters/],
    [entry('all', LOOKER.hash), /two tokens with the name "all"/],
  ]
  for (const [i, [text, says]] of broken.entries()) {
    put(text)
    await eventually(() => said().length > i || `${said().length} problems are logged`)
    t.match(said()[i], says)
    t.equal(await status(LOOKER.token), 200, 'the tokens from before stay')
  }
  unlinkSync(file)
  await eventually(() => said().length > broken.length || 'nothing is logged about a missing file')
  t.match(said().at(-1), /cannot be read \(ENOENT\)/)
  put(entry('third', OTHER.hash))
  await eventually(async () => (await status(OTHER.token)) === 200 || 'the file that came back is not read')
  t.notMatch(JSON.stringify(gw.lines), PLAIN)
})

t.test('no token in a log line or an answer', async (t) => {
  const gw = await start(t)
  const texts: string[] = []
  const unknown = newToken().token
  for (const token of [ALL.token, LOOKER.token, PLAIN, unknown]) {
    for (const headers of [
      [bearer(token)],
      [basic(token)],
      [bearer(token), bearer(token)],
      [`Authorization: ${token}`],
    ]) {
      for (const accept of ['*/*', 'application/json']) {
        const said = await ask(gw, `/secret/name?peek&x=${token}`, [...headers, `Accept: ${accept}`])
        texts.push(JSON.stringify(said))
      }
      if (token === LOOKER.token) texts.push(JSON.stringify(await ask(gw, '/jobs/a', headers)))
    }
  }
  await eventually(() => gw.lines.filter(({ msg }) => msg === 'request').length >= texts.length || 'not all is logged')
  const everything = texts.join('\n') + JSON.stringify(gw.lines)
  for (const token of [ALL.token, LOOKER.token, PLAIN, unknown]) {
    t.notOk(everything.includes(token), 'as it is')
    t.notOk(everything.includes(btoa(`:${token}`)), 'as a password')
    t.notOk(everything.includes(digestOf(token).toString('hex')), 'as its digest')
  }
  t.ok(everything.includes('secret/name'), 'there is a log at all')
})
