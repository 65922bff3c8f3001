/** Signed links: what they allow, for whom, how long, and that nothing about them can be changed. */

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WrongUsage } from '../../../client/cli/wrong-usage.js'
import { signedLink } from '../../../client/link/command.js'
import { description } from '../../../client/link/description.js'
import type { FlagValues } from '../../../gateway/config/config.js'
import { definePlugin, PLUGIN_API, type Plugin, z } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import { linksPlugin } from '../../../plugins/links/index.js'
import { type Grant, sign, verify } from '../../../plugins/links/signature.js'
import { valuesOf } from '../../client/cli/line.js'
import { makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { pluginOfFile } from '../../support/threads/served.js'
import { NOW } from '../in-files/links-in-2027.js'
import { medianRatio } from '../timing.js'

const SECRET = 'a secret of a good length, for tests only'
const OWNER = newToken()
const LOOKER = newToken()
const TAKER = newToken()

const peek = await pluginOfFile(new URL('../in-files/peek.js', import.meta.url))
const links = await pluginOfFile(new URL('../in-files/links-in-2027.js', import.meta.url))

interface Setting {
  readonly config?: Record<string, unknown>
  readonly auth?: boolean
  /** The default: a day in 2027. */
  readonly clock?: () => number
  /** Settings of the gateway. */
  readonly flags?: FlagValues
}

function start(t: Test, { config = {}, auth = true, clock, flags = {} }: Setting = {}): Promise<Running> {
  const tokens = [
    { name: 'owner', hash: OWNER.hash, project: 'one' },
    { name: 'looker', hash: LOOKER.hash, project: 'one', rights: ['watch'], names: ['jobs/*'] },
    { name: 'taker', hash: TAKER.hash, project: 'one', rights: ['receive'] },
  ]
  // Before links in the configuration: links asks to be earlier.
  const plugins = [
    ...(auth ? [{ plugin: authBearer as unknown as Plugin, config: { tokens } }] : []),
    peek,
    {
      plugin: clock === undefined ? links.plugin : (linksPlugin(clock) as unknown as Plugin),
      config: { secret: SECRET, ...config },
    },
  ]
  return startGateway(t, { logLevel: 'trace', ...flags }, { plugins })
}

interface Said {
  readonly status: number
  readonly code: string | undefined
  readonly text: string
  readonly headers: Readonly<Record<string, readonly string[]>>
}

async function ask(gw: Running, target: string, headers: readonly string[] = [], host = 'pipe.test'): Promise<Said> {
  const client = await gw.connect()
  await client.send(`${[`GET ${target} HTTP/1.1`, `Host: ${host}`, ...headers].join('\r\n')}\r\n\r\n`)
  const { status, headers: got, body } = await client.waitForResponse()
  client.destroy()
  return { status, code: got['x-pipe-code']?.[0], text: body.toString('latin1'), headers: got }
}

const bearer = (token: string) => `Authorization: Bearer ${token}`
const grant = (change: Partial<Grant> = {}): Grant => {
  return { project: 'one', name: 'jobs/a', right: 'watch', expiry: NOW + 60, ...change }
}
const sig = (change: Partial<Grant> = {}, secret = SECRET) => sign(grant(change), secret)

t.test('nothing of a signature can be changed', async (t) => {
  const good = sig()
  t.same(verify(good, SECRET), grant())
  t.equal(verify(good, `${SECRET}.`), undefined, 'another secret')
  let tried = 0
  const passed: string[] = []
  const look = (text: string) => {
    tried++
    if (verify(text, SECRET) !== undefined) passed.push(text)
  }
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \x00é']
  for (let i = 0; i <= good.length; i++) {
    for (const letter of letters) {
      if (good[i] !== letter) look(good.slice(0, i) + letter + good.slice(i + 1))
      look(good.slice(0, i) + letter + good.slice(i))
    }
    if (i < good.length) look(good.slice(0, i) + good.slice(i + 1))
    look(good.slice(0, i))
  }
  for (const text of [
    '',
    '.',
    '..',
    good.replace('.', ''),
    `${good}=`,
    `.${good}`,
    good.split('.').reverse().join('.'),
  ])
    look(text)
  t.same(
    passed.filter((text) => text !== good),
    [],
    `${tried} changes`,
  )
  t.ok(tried > 10_000)
})

t.test('the time of a check tells nothing about the signature', async (t) => {
  const good = sig({ name: 'n'.repeat(300) })
  const [payload = '', mac = ''] = good.split('.')
  const look = (text: string) => () => {
    for (let i = 0; i < 20; i++) verify(text, SECRET)
  }
  const nearly = `${payload}.${mac.slice(0, -1)}${mac.endsWith('A') ? 'E' : 'A'}`
  const ratio = await medianRatio(look(nearly), look(`${payload}.${'~'.repeat(mac.length)}`))
  t.ok(Math.abs(ratio - 1) < 0.15, ratio.toFixed(3))
})

t.test('a link lets in, for its name and its right, into its project', async (t) => {
  const gw = await start(t)
  const sender = curl(['-N', '-H', bearer(OWNER.token), '-T', '-', gw.url('jobs/a')], { input: 'hello' })
  await sender.waitFor('Waiting for 1')
  const said = await ask(gw, `/jobs/a?peek&sig=${sig()}`)
  t.match(JSON.parse(said.text), { state: 'waiting', identity: { project: 'one', subject: 'link' } })
  t.equal((await ask(gw, `/jobs/a?peek&sig=${sig()}`, [bearer('wrong')])).status, 200, 'whatever else is said')
  const elsewhere = await ask(gw, `/jobs/a?peek&sig=${sig({ project: 'two' })}`)
  t.match(JSON.parse(elsewhere.text), { state: 'idle', identity: { project: 'two' } })
  const got = await curlDone(['-f', '-D', '-', gw.url(`jobs/a?sig=${sig({ right: 'receive' })}`)])
  t.match(got, { code: 0 })
  t.match(got.stdout.toString(), /^referrer-policy: no-referrer\r\n[\s\S]*\r\n\r\nhello$/im)
  t.equal((await sender.result).code, 0)
})

t.test('each way in which a link does not hold', async (t) => {
  let now = NOW
  const gw = await start(t, { clock: () => now * 1000, config: { maxTtl: 600 } })
  const cases: readonly [what: string, target: string, code: string, says: RegExp][] = [
    ['another name', `/jobs/b?peek&sig=${sig()}`, 'OTHER_NAME', /for another name/],
    ['a name below', `/jobs/a/b?peek&sig=${sig()}`, 'OTHER_NAME', /for another name/],
    ['to receive by a link to watch', `/jobs/a?sig=${sig()}`, 'OTHER_RIGHT', /made to watch, not to receive/],
    [
      'to watch by a link to receive',
      `/jobs/a?peek&sig=${sig({ right: 'receive' })}`,
      'OTHER_RIGHT',
      /to receive, not to watch/,
    ],
    ['another secret', `/jobs/a?peek&sig=${sig({}, `${SECRET}!`)}`, 'TAMPERED', /not one that this gateway gave out/],
    ['empty', '/jobs/a?peek&sig=', 'TAMPERED', /not one/],
    ['bare', '/jobs/a?peek&sig', 'TAMPERED', /not one/],
    ['the first counts', `/jobs/a?peek&sig=x&sig=${sig()}`, 'TAMPERED', /not one/],
    [
      'over',
      `/jobs/a?peek&sig=${sig({ expiry: NOW })}`,
      'EXPIRED',
      /expired at 2027-01-15T08:00:00Z\. Ask for a new one/,
    ],
    ['too long', `/jobs/a?peek&sig=${sig({ expiry: NOW + 602 })}`, 'TOO_LONG', /more than 600 seconds/],
    ['a link for a link', `/jobs/a?link=watch&sig=${sig()}`, 'LINK_FROM_LINK', /cannot make other links/],
  ]
  for (const [what, target, code, says] of cases) {
    const said = await ask(gw, target, [bearer(OWNER.token)])
    t.match(said, { status: 403, code: `LINKS_${code}`, text: says }, what)
  }
  const put = await curlDone(['-i', '-d', 'x', gw.url(`jobs/a?sig=${sig()}`)])
  t.match(put.stdout.toString(), /^HTTP\/1.1 403 [\s\S]*LINKS_SENDER/)
  const last = `/jobs/a?peek&sig=${sig()}`
  now = NOW + 59
  t.equal((await ask(gw, last)).status, 200, 'in its last second')
  now = NOW + 60
  t.match(await ask(gw, last), { status: 403, code: 'LINKS_EXPIRED' })
})

t.test('?link makes one', async (t) => {
  const gw = await start(t, { config: { ttl: 100, maxTtl: 600 } })
  const said = await ask(gw, '/jobs/a?link=receive', [bearer(OWNER.token)])
  t.match(said, { status: 200, text: /^http:\/\/pipe\.test\/api\/v1\/pipe\/jobs\/a\?sig=[\w.-]+\n$/ })
  t.match(said.headers, { 'content-type': [/^text\/plain/], 'cache-control': ['no-store'] })
  t.same(verify(said.text.trim().split('sig=')[1]!, SECRET), grant({ right: 'receive', expiry: NOW + 100 }))
  const json = await ask(
    gw,
    '/caf%c3%a9?link=watch&ttl=600',
    [bearer(OWNER.token), 'Accept: application/json'],
    '[::1]:80',
  )
  const made = JSON.parse(json.text)
  t.match(made, {
    right: 'watch',
    expires: '2027-01-15T08:10:00Z',
    url: /^http:\/\/\[::1\]:80\/api\/v1\/pipe\/caf%C3%A9\?progress&sig=/,
  })
  t.same(verify(made.url.split('sig=')[1], SECRET), grant({ name: 'caf%C3%A9', expiry: NOW + 600 }))
  for (const [target, status, code] of [
    ['/jobs/a?link=watch&ttl=601', 400, 'BAD_PARAMETER'],
    ['/jobs/a?link=watch&ttl=0', 400, 'BAD_PARAMETER'],
    ['/jobs/a?link=watch&ttl=-1', 400, 'BAD_PARAMETER'],
    ['/jobs/a?link=watch&ttl=', 400, 'BAD_PARAMETER'],
    ['/jobs/a?link=watch&ttl=1e9', 400, 'BAD_PARAMETER'],
    ['/jobs/a?link=send', 400, 'BAD_PARAMETER'],
    ['/jobs/a?link', 400, 'BAD_PARAMETER'],
  ] as const) {
    t.match(await ask(gw, target, [bearer(OWNER.token)]), { status, code }, target)
  }
  t.match(await ask(gw, '/jobs/a?link=watch'), { status: 401 }, 'nobody')
  t.equal((await ask(gw, '/jobs/a?link=watch', [bearer(LOOKER.token)])).status, 200)
  const taker = [bearer(TAKER.token)]
  t.match(await ask(gw, '/jobs/a?link=receive', [bearer(LOOKER.token)]), { code: 'AUTH_BEARER_NO_RIGHT' })
  t.match(await ask(gw, '/jobs/a?link=watch', taker), { status: 403, code: 'AUTH_BEARER_NO_RIGHT' })
  t.match(await ask(gw, '/jobs/a?peek', taker), { status: 403, code: 'AUTH_BEARER_NO_RIGHT' })
  t.equal((await ask(gw, '/jobs/a?link=receive', taker)).status, 200, 'to receive needs no right to watch')
  t.match(await ask(gw, '/other?link=watch', [bearer(LOOKER.token)]), { status: 403, code: 'AUTH_BEARER_NO_NAME' })
  const { cert, key } = makeCertificate(t.testdir())
  const encrypted = await start(t, { flags: { tlsCert: cert, tlsKey: key } })
  for (const host of ['a b', 'x/y', 'evil"', 'a@b']) {
    for (const [on, status, code] of [
      [gw, 400, 'BAD_HOST'],
      [encrypted, 400, 'BAD_HOST'],
    ] as const) {
      t.match(await ask(on, '/a?link=watch', [bearer(OWNER.token)], host), { status, code }, `${host}: ${code}`)
    }
  }
  // Others reach it, and nobody has said by what name: a link would lead where its client says.
  const open = await start(t, { flags: { host: '0.0.0.0', hosts: '' } })
  for (const host of ['pipe.test', '127.0.0.1', 'evil.example']) {
    const refused = await ask(open, '/a?link=watch', [bearer(OWNER.token)], host)
    t.match(refused, {
      status: 400,
      code: 'LINKS_BAD_HOST',
      text: /publicUrl for this plugin, or the setting hosts\.\n$/,
    })
  }
  const bounded = await start(t, { flags: { host: '0.0.0.0', hosts: 'pipe.test', trustedProxies: '127.0.0.1' } })
  t.match(await ask(bounded, '/a?link=watch', [bearer(OWNER.token)]), { text: /^http:\/\/pipe\.test\/api/ })
  const behind = [bearer(OWNER.token), 'X-Forwarded-Host: pipe.test:8443', 'X-Forwarded-Proto: https']
  t.match(await ask(bounded, '/a?link=watch', behind, 'localhost'), { text: /^https:\/\/pipe\.test:8443\/api/ })
  const named = await start(t, { config: { publicUrl: 'https://pipe.example.org/' } })
  const { text } = await ask(named, '/a?link=receive', [bearer(OWNER.token)], 'evil.test')
  t.match(text, /^https:\/\/pipe\.example\.org\/api\/v1\/pipe\/a\?sig=/)
})

t.test('a plugin that identifies and looks at no rights hands none out', async (t) => {
  const anybody = definePlugin({
    name: 'anybody',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup: () => ({
      hooks: { onAdmit: (_, join) => join.identify({ project: 'one', subject: 'me', rights: new Set(['watch']) }) },
    }),
  })
  const links = { plugin: linksPlugin() as unknown as Plugin, config: { secret: SECRET } }
  const gw = await startGateway(t, {}, { plugins: [{ plugin: anybody as unknown as Plugin }, links] })
  t.equal((await ask(gw, '/a?link=watch')).status, 200)
  t.match(await ask(gw, '/a?link=receive'), { status: 403, code: 'LINKS_NO_RIGHT' })
})

t.test('of several secrets the first signs, and all are believed', async (t) => {
  const old = 'the secret from before, of a good length'
  const gw = await start(t, { config: { secret: [SECRET, old] } })
  t.equal((await ask(gw, `/jobs/a?peek&sig=${sig()}`)).status, 200)
  t.equal((await ask(gw, `/jobs/a?peek&sig=${sig({}, old)}`)).status, 200)
  t.match(await ask(gw, `/jobs/a?peek&sig=${sig({}, `${old}!`)}`), { status: 403, code: 'LINKS_TAMPERED' })
  const { text } = await ask(gw, '/jobs/a?link=watch', [bearer(OWNER.token)])
  t.ok(verify(text.trim().split('sig=')[1]!, SECRET))
})

t.test('links are for what the client speaks', async (t) => {
  const made = async (gw: Running, said: string) => {
    const { text } = await ask(gw, '/a?link=receive', [bearer(OWNER.token), `X-Forwarded-Proto: ${said}`])
    return text.split('://')[0]
  }
  const open = await start(t)
  t.equal(await made(open, 'https'), 'http', 'what anybody can write is not believed')
  const elsewhere = await start(t, { flags: { trustedProxies: '192.0.2.0/24' } })
  t.equal(await made(elsewhere, 'https'), 'http', 'nor what a peer says that is no trusted proxy')
  const proxied = await start(t, { flags: { trustedProxies: '127.0.0.1' } })
  t.equal(await made(proxied, 'https'), 'https')
  t.equal(await made(proxied, 'HTTPS, http'), 'https', 'the first is what the client speaks')
  t.equal(await made(proxied, 'http'), 'http')
  t.equal(await made(proxied, 'javascript'), 'http')
  const { cert, key } = makeCertificate(t.testdir())
  const gw = await start(t, { flags: { tlsCert: cert, tlsKey: key } })
  const { stdout } = await curlDone(['-k', '-H', bearer(OWNER.token), `${gw.origin}/a?link=receive`])
  t.match(stdout.toString(), /^https:\/\/127\.0\.0\.1:\d+\/api/)
})

t.test('without an authenticating plugin', async (t) => {
  const gw = await start(t, { auth: false })
  t.match(await ask(gw, '/jobs/a?link=watch'), { status: 403, code: 'LINKS_NOT_NEEDED' })
  t.match(JSON.parse((await ask(gw, `/jobs/a?peek&sig=${sig()}`)).text), { identity: { project: 'one' } })
})

t.test('what stops the start, and does not show the secret', async (t) => {
  const dir = t.testdir({ short: `${SECRET.slice(0, 31)}\n` })
  process.env.PIPE_TEST_SHORT = SECRET.slice(0, 31)
  t.teardown(() => {
    delete process.env.PIPE_TEST_SHORT
  })
  const none = { secret: undefined }
  const cases: readonly [Record<string, unknown>, RegExp][] = [
    [none, /expected exactly one of secret, secretEnv and secretFile/],
    [{ secretEnv: 'X' }, /expected exactly one/],
    [{ secret: SECRET.slice(0, 31) }, /secret: found 31 characters, expected at least 32/],
    [{ secret: 5 }, /secret: expected text/],
    [{ secret: [] }, /secret: expected text/],
    [{ secret: [SECRET, 'short'] }, /secret: found 5 characters/],
    [{ ...none, secretEnv: 'PIPE_TEST_UNSET' }, /secretEnv: that variable is not set/],
    [{ ...none, secretEnv: 'PIPE_TEST_SHORT' }, /secretEnv: found 31/],
    [{ ...none, secretFile: join(dir, 'short') }, /short: found 31 characters/],
    [{ ...none, secretFile: join(dir, 'none') }, /none cannot be read \(ENOENT\)/],
    [{ [SECRET]: 1 }, /a key that is unknown/],
    [{ ttl: 700, maxTtl: 600 }, /ttl is more than maxTtl/],
    [{ maxTtl: 0 }, /maxTtl: expected at least 1 second/],
    [{ publicUrl: 'pipe.example.org' }, /publicUrl: expected an address/],
  ]
  for (const [config, says] of cases) {
    const problem = await start(t, { config }).then(
      () => 'it started',
      (error: Error) => error.message,
    )
    t.match(problem, says)
    t.notMatch(problem, /a secret of/)
  }
})

t.test('pipegate link', async (t) => {
  const dir = t.testdir({ secret: `${SECRET}\n`, short: 'x' })
  const file = ['--secret-file', join(dir, 'secret')]
  const run = (...argv: string[]) => signedLink(valuesOf(description, argv), NOW * 1000)
  const watch = run('https://h/api/v1/pipe/jobs/a', ...file, '--right', 'watch', '--project', 'one', '--ttl', '1m')
  t.match(watch, /^https:\/\/h\/api\/v1\/pipe\/jobs\/a\?progress&sig=/)
  t.same(verify(watch.split('sig=')[1]!, SECRET), grant())
  const gw = await start(t)
  const target = new URL(watch)
  t.equal((await ask(gw, `${target.pathname}${target.search.replace('progress', 'peek')}`)).status, 200)
  const read = (...argv: string[]) => verify(run(...argv, ...file).split('sig=')[1] ?? '', SECRET)
  const bare = ['http://h:1/caf%c3%a9', '--right', 'receive']
  t.same(read(...bare), grant({ project: '', name: 'caf%C3%A9', right: 'receive', expiry: NOW + 3600 }))
  t.equal(read(...bare, '--ttl', '7d')?.expiry, NOW + 7 * 86_400)
  t.equal(read('http://h/p/x', '--right', 'watch', '--prefix', '/p')?.name, 'x')
  t.equal(read('http://h/p/x', '--right', 'watch', '--prefix', 'off')?.name, 'p/x')
  for (const wrong of [
    [],
    ['http://h/a'],
    ['http://h/a', '--right', 'watch'],
    ['h/a', ...file, '--right', 'watch'],
    ['http://h/a', ...file, '--right', 'send'],
    ['http://h/health', ...file, '--right', 'watch'],
    ['http://h/a/../b', ...file, '--right', 'watch'],
    ['http://h/a?x', ...file, '--right', 'watch'],
    ['http://h/a', 'b', ...file, '--right', 'watch'],
    ['http://h/a', ...file, '--right', 'watch', '--ttl', '1w'],
    ['http://h/a', ...file, '--right', 'watch', '--ttl', '0'],
    ['http://h/a', ...file, '--right', 'watch', '--tll', '0'],
  ]) {
    t.throws(() => run(...wrong), WrongUsage, wrong.slice(-2).join(' '))
  }
  for (const name of ['none', 'short']) {
    const args = ['http://h/a', '--right', 'watch', '--secret-file', join(dir, name)]
    t.throws(() => run(...args), { message: /^secretFile/ })
  }
})

t.test('no signature in a log line or an error', async (t) => {
  const gw = await start(t)
  const texts: string[] = []
  const sigs = [
    sig(),
    sig({ right: 'receive' }),
    sig({ expiry: 1 }),
    sig({ expiry: NOW * 2 }),
    sig({}, `${SECRET}!`),
    sig({ name: 'b' }),
  ]
  for (const each of sigs) {
    for (const accept of ['*/*', 'application/json']) {
      texts.push(JSON.stringify(await ask(gw, `/jobs/a?peek&sig=${each}`, [`Accept: ${accept}`])))
    }
  }
  await eventually(() => gw.lines.filter(({ msg }) => msg === 'request').length >= texts.length || 'not all is logged')
  const everything = texts.join('\n') + JSON.stringify(gw.lines)
  for (const each of sigs) for (const part of each.split('.')) t.notOk(everything.includes(part))
  t.notOk(everything.includes(SECRET))
})
