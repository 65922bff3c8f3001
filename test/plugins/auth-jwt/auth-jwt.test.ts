/** Tokens over real connections, from a real JWKS server: who gets in, who does not, what is said, and what is not. */

import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { CompactSign, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { definePlugin, PLUGIN_API, z } from '../../../gateway/host/plugin-api.js'
import { FAILURES } from '../../../plugins/auth-jwt/failures.js'
import authJwt from '../../../plugins/auth-jwt/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type LogLine, type Running, startGateway } from '../../support/gateway.js'
import { type Issuer, type IssuerKey, makeKey, sign, startIssuer, type TokenOptions } from '../../support/issuer.js'
import { connect } from '../../support/raw.js'

const ec = await makeKey('ES256', 'ec')
const rsa = await makeKey('RS256', 'rsa')
const next = await makeKey('ES256', 'next')
const stranger = await makeKey('ES256', 'ec')

/** Codes that some request below was answered with. */
const reached = new Set<string>()
/** What every gateway has logged. */
const logs: (readonly LogLine[])[] = []
/** Everything that must not be said. */
const tokens = new Set<string>()

interface Answered {
  readonly status: number
  readonly code: string
  readonly text: string
  readonly challenge: string
  readonly retryAfter: string | null
}

interface Rig {
  readonly gw: Running
  readonly issuer: Issuer
  /** One request; one that is let in is taken back at once. */
  ask(authorization: string | undefined, options?: { method?: string; name?: string }): Promise<Answered>
  /** The same with a bearer token. */
  bear(token: string, options?: { method?: string; name?: string }): Promise<Answered>
}

let names = 0

async function rig(t: Test, config: object = {}, keys: readonly IssuerKey[] = [ec, rsa]): Promise<Rig> {
  const issuer = await startIssuer(t, ...keys)
  const { jwksUrl = issuer.url, ...more } = config as { jwksUrl?: string }
  const source = 'secret' in more || 'publicKeyFile' in more ? {} : { jwksUrl }
  const plugins = [{ plugin: authJwt, config: { ...source, issuer: 'issuer', audience: 'pipes', ...more } }]
  const gw = await startGateway(t, { failedEnd: 'clean' }, { plugins })
  logs.push(gw.lines)
  const ask: Rig['ask'] = async (authorization, { method = 'PUT', name = `name-${names++}` } = {}) => {
    const control = new AbortController()
    // A receiver that is let in by mistake is answered as well.
    const response = await fetch(gw.url(method === 'GET' ? `${name}?wait=1` : name), {
      method,
      signal: control.signal,
      headers: { ...(authorization !== undefined && { authorization }) },
      ...(method === 'PUT' && { body: 'x' }),
    })
    const { status, headers } = response
    const text = status === 200 ? '' : await response.text()
    if (status === 200) control.abort()
    const code = headers.get('x-pipe-code') ?? ''
    const challenge = headers.get('www-authenticate') ?? ''
    reached.add(code)
    secretsStayIn(text + challenge)
    return { status, code, text, challenge, retryAfter: headers.get('retry-after') }
  }
  return {
    gw,
    issuer,
    ask,
    bear(token, options) {
      tokens.add(token)
      return ask(`Bearer ${token}`, options)
    },
  }
}

/** @throws when a part of a token is in what was said */
function secretsStayIn(said: string): void {
  for (const token of tokens) {
    const part = token.split('.').find((each) => each.length > 8 && said.includes(each))
    if (part !== undefined) throw new Error(`a token was said: ${said.slice(0, 300)}`)
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const seconds = () => Math.floor(Date.now() / 1000)
const CLAIMS = () => ({ iss: 'issuer', aud: 'pipes', sub: 'mallory', exp: seconds() + 300 })

t.test('a transfer between two who have tokens, by curl', async (t) => {
  const { gw } = await rig(t)
  const auth = ['-H', `Authorization: Bearer ${await sign(ec)}`]
  const receiver = curl([...auth, gw.url('jobs')])
  const sender = await curlDone([...auth, '-T', '-', gw.url('jobs')], { input: 'hello' })
  t.match(sender.stdout.toString(), /Transfer complete/)
  t.equal((await receiver.result).stdout.toString(), 'hello')
})

t.test('every kind of key', async (t) => {
  const kinds = ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
  const keys = await Promise.all(kinds.map((alg) => makeKey(alg, alg)))
  const { bear } = await rig(t, {}, keys)
  for (const key of keys) t.equal((await bear(await sign(key))).status, 200, key.alg)
  const narrow = await rig(t, { algorithms: ['ES256'] }, keys)
  for (const key of keys) {
    t.equal((await narrow.bear(await sign(key))).status, key.alg === 'ES256' ? 200 : 401, `${key.alg} for ES256 only`)
  }
})

t.test('static keys', async (t) => {
  const secret = 'a secret that is long enough for HS256'
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const dir = t.testdir({
    'key.pem': pair.publicKey.export({ type: 'spki', format: 'pem' }),
    'key.jwk': JSON.stringify({ ...pair.publicKey.export({ format: 'jwk' }), kid: 'one' }),
  })
  const hs = await new SignJWT(CLAIMS()).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret))
  const rs = (kid: string) => new SignJWT(CLAIMS()).setProtectedHeader({ alg: 'RS256', kid }).sign(pair.privateKey)
  const shared = await rig(t, { secret })
  t.equal((await shared.bear(hs)).status, 200)
  t.equal((await shared.bear(await rs('one'))).code, 'AUTH_JWT_ALGORITHM')
  t.equal(shared.issuer.asked.length, 0)
  const pem = await rig(t, { publicKeyFile: `${dir}/key.pem` })
  t.equal((await pem.bear(await rs('any'))).status, 200)
  t.equal((await pem.bear(hs)).code, 'AUTH_JWT_ALGORITHM')
  t.equal((await pem.bear(await sign(rsa))).code, 'AUTH_JWT_SIGNATURE')
  const file = readFileSync(`${dir}/key.pem`)
  const confused = await new SignJWT(CLAIMS()).setProtectedHeader({ alg: 'HS256' }).sign(file)
  t.equal((await pem.bear(confused)).code, 'AUTH_JWT_ALGORITHM', 'HS256 with the very file')
  const jwk = await rig(t, { publicKeyFile: `${dir}/key.jwk` })
  t.equal((await jwk.bear(await rs('one'))).status, 200)
  t.equal((await jwk.bear(await rs('two'))).code, 'AUTH_JWT_UNKNOWN_KEY')
})

t.test('what a token has to be', async (t) => {
  const { bear, gw } = await rig(t, { leeway: 5, maxTokenAge: 3600, type: 'at+jwt' })
  const header = { typ: 'at+jwt' }
  const now = seconds()
  const cases: readonly (readonly [what: string, options: TokenOptions, code: string, says: RegExp])[] = [
    ['valid', {}, '', /^$/],
    ['several audiences', { claims: { aud: ['other', 'pipes'] } }, '', /^$/],
    ['within leeway', { claims: { exp: now - 2, nbf: now + 2 } }, '', /^$/],
    ['expired', { claims: { exp: now - 60 } }, 'EXPIRED', /has expired/],
    ['not yet valid', { claims: { nbf: now + 60 } }, 'NOT_YET_VALID', /not yet valid/],
    ['issued in the future', { claims: { iat: now + 60 } }, 'NOT_YET_VALID', /not yet valid/],
    ['too old', { claims: { iat: now - 3700 } }, 'TOO_OLD', /too long ago.*3600 seconds/],
    ['no iat', { claims: { iat: undefined } }, 'BAD_CLAIM', /claim "iat" of the token is missing/],
    ['exp as text', { claims: { exp: 'SENSITIVE' } }, 'BAD_CLAIM', /claim "exp" of the token is not a number/],
    ['another audience', { claims: { aud: 'SENSITIVE' } }, 'WRONG_AUDIENCE', /another audience. Accepted: pipes/],
    ['no audience', { claims: { aud: undefined } }, 'BAD_CLAIM', /claim "aud" of the token is missing/],
    ['another issuer', { claims: { iss: 'SENSITIVE' } }, 'WRONG_ISSUER', /another issuer. Accepted: issuer/],
    ['no issuer', { claims: { iss: undefined } }, 'BAD_CLAIM', /claim "iss" of the token is missing/],
    ['another type', { header: { typ: 'SENSITIVE' } }, 'WRONG_TYPE', /another type. Accepted as "typ": at\+jwt/],
  ]
  for (const [what, options, code, says] of cases) {
    const answered = await bear(await sign(ec, { ...options, header: { ...header, ...options.header } }))
    t.equal(answered.status, code === '' ? 200 : 401, what)
    t.equal(answered.code, code === '' ? '' : `AUTH_JWT_${code}`, what)
    t.match(answered.text, says, what)
    if (code !== '')
      t.match(answered.challenge, /^Bearer realm="pipegate", error="invalid_token", error_description="[^"]+"$/)
    t.notMatch(answered.text + answered.challenge, /SENSITIVE/, what)
  }
  t.notMatch(JSON.stringify(gw.lines), /SENSITIVE/)
  const lenient = await rig(t)
  t.equal(
    (await lenient.bear(await sign(ec, { claims: { exp: undefined } }))).code,
    'AUTH_JWT_BAD_CLAIM',
    'no end at all',
  )
})

t.test('claims that are not an object', async (t) => {
  const { bear } = await rig(t)
  for (const payload of ['null', '[]', '"text"', '{', '']) {
    const token = await new CompactSign(Buffer.from(payload))
      .setProtectedHeader({ alg: 'ES256', kid: 'ec' })
      .sign(ec.privateKey)
    t.equal((await bear(token)).code, 'AUTH_JWT_MALFORMED', payload)
  }
})

t.test('what is sent instead of a token', async (t) => {
  const { ask, bear } = await rig(t)
  const token = await sign(ec)
  tokens.add(token)
  const none = await ask(undefined)
  t.match(none, { status: 401, code: 'AUTH_JWT_MISSING', challenge: 'Bearer realm="pipegate"' })
  t.match(none.text, /^\[ERROR\] This needs a token.*Authorization: Bearer/)
  const cases: readonly (readonly [string, string])[] = [
    [`Bearer ${token}`, ''],
    [`bEaReR   ${token}`, ''],
    ['Bearer', 'MISSING'],
    ['Basic YTpi', 'MISSING'],
    [token, 'MISSING'],
    [`Bearer${token}`, 'MISSING'],
    [`Bearer\t${token}`, 'MISSING'],
    [`Bearer ${token} ${token}`, 'MALFORMED'],
    [`Bearer ${token}, Bearer ${token}`, 'MALFORMED'],
    [`Bearer "${token}"`, 'MALFORMED'],
    [`Bearer ${token}.x.y`, 'MALFORMED'],
    [`Bearer ${token}=`, 'MALFORMED'],
    [`Bearer ${token.slice(0, -4)}AAAA`, 'SIGNATURE'],
    [`Bearer ${token.slice(0, token.lastIndexOf('.') + 1)}`, 'SIGNATURE'],
    ['Bearer a.b.c', 'MALFORMED'],
    ['Bearer ..', 'MALFORMED'],
    ['Bearer \u00ff.\u00ff.\u00ff', 'MALFORMED'],
  ]
  for (const [authorization, code] of cases) {
    const answered = await ask(authorization)
    t.equal(answered.code, code === '' ? '' : `AUTH_JWT_${code}`, authorization.replaceAll(token, 'TOKEN'))
  }
  const [head, , signature] = token.split('.')
  t.equal((await bear(`${head}.${encode({ ...CLAIMS(), sub: 'root' })}.${signature}`)).code, 'AUTH_JWT_SIGNATURE')
})

t.test('key confusion', async (t) => {
  const { bear, issuer } = await rig(t)
  const planted = await startIssuer(t, stranger)
  const spki = createPublicKey({ key: rsa.jwk as JsonWebKey, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  }) as string
  const unsigned = (header: object, signature = '') => `${encode(header)}.${encode(CLAIMS())}.${signature}`
  const hmac = (header: object, secret: string | Buffer) => {
    const input = `${encode(header)}.${encode(CLAIMS())}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const forged = (header: object) => sign(stranger, { header: header as Record<string, unknown> })
  const cases: readonly (readonly [what: string, token: string, code: string])[] = [
    ['alg none', unsigned({ alg: 'none' }), 'ALGORITHM'],
    ['alg nOnE', unsigned({ alg: 'nOnE' }), 'ALGORITHM'],
    ['alg none with kid', unsigned({ alg: 'none', kid: 'ec' }), 'ALGORITHM'],
    ['alg none with a signature', unsigned({ alg: 'none' }, 'AAAA'), 'ALGORITHM'],
    ['no alg', unsigned({ kid: 'ec' }), 'MALFORMED'],
    ['alg a list', unsigned({ alg: ['ES256'], kid: 'ec' }), 'MALFORMED'],
    ['alg of Object', unsigned({ alg: 'constructor', kid: 'ec' }), 'ALGORITHM'],
    ['HS256 with the public key as PEM', hmac({ alg: 'HS256', kid: 'rsa' }, spki), 'ALGORITHM'],
    ['HS256 with the public key as PEM, trimmed', hmac({ alg: 'HS256', kid: 'rsa' }, spki.trim()), 'ALGORITHM'],
    ['HS256 with the JWK', hmac({ alg: 'HS256', kid: 'rsa' }, JSON.stringify(rsa.jwk)), 'ALGORITHM'],
    ['HS256 with nothing', hmac({ alg: 'HS256' }, ''), 'ALGORITHM'],
    ['RS256 with an HMAC', hmac({ alg: 'RS256', kid: 'rsa' }, spki), 'SIGNATURE'],
    ['another key under a known kid', await forged({}), 'SIGNATURE'],
    ['the kid of another kind of key', await forged({ kid: 'rsa' }), 'UNKNOWN_KEY'],
    ['no kid, one key of the kind', await forged({ kid: undefined }), 'SIGNATURE'],
    ['an unknown kid', await forged({ kid: 'nobody' }), 'UNKNOWN_KEY'],
    ['a kid with a path', await forged({ kid: '../../../../dev/null' }), 'UNKNOWN_KEY'],
    ['a kid with an address', await forged({ kid: planted.url }), 'UNKNOWN_KEY'],
    ['a kid that is no text', await forged({ kid: { $ne: '' } }), 'UNKNOWN_KEY'],
    ['a kid of Object', await forged({ kid: '__proto__' }), 'UNKNOWN_KEY'],
    ['its own key as jwk', await forged({ jwk: stranger.jwk }), 'SIGNATURE'],
    ['its own key as jwk, no kid', await forged({ jwk: stranger.jwk, kid: 'nobody' }), 'UNKNOWN_KEY'],
    ['its own set as jku', await forged({ jku: planted.url }), 'SIGNATURE'],
    ['its own chain as x5u', await forged({ x5u: planted.url }), 'SIGNATURE'],
    ['its own chain as x5c', await forged({ x5c: ['MIIB'] }), 'SIGNATURE'],
    ['an unknown crit', unsigned({ alg: 'ES256', kid: 'ec', crit: ['exp'], exp: 1 }, 'AAAA'), 'MALFORMED'],
    ['an empty crit', unsigned({ alg: 'ES256', kid: 'ec', crit: [] }, 'AAAA'), 'MALFORMED'],
    ['an unencoded payload', unsigned({ alg: 'ES256', kid: 'ec', crit: ['b64'], b64: false }, 'AAAA'), 'SIGNATURE'],
    ['all zeros', unsigned({ alg: 'ES256', kid: 'ec' }, Buffer.alloc(64).toString('base64url')), 'SIGNATURE'],
  ]
  for (const [what, token, code] of cases) {
    const answered = await bear(token)
    t.equal(answered.code, `AUTH_JWT_${code}`, what)
    t.equal(answered.status, 401, what)
  }
  t.strictSame(planted.asked, [], 'no address in a token is asked')
  t.strictSame(new Set(issuer.asked), new Set(['/jwks.json']))
  t.equal((await bear(await sign(ec))).status, 200, 'and a good one still gets in')
})

t.test('a token without kid, where two keys could have signed it', async (t) => {
  const { bear } = await rig(t, {}, [ec, next])
  const refused = await bear(await sign(ec, { header: { kid: undefined } }))
  t.match(refused, { status: 401, code: 'AUTH_JWT_AMBIGUOUS_KEY' })
})

t.test('a crit that is signed is refused too', async (t) => {
  const { bear } = await rig(t)
  const token = await new SignJWT(CLAIMS())
    .setProtectedHeader({ alg: 'ES256', kid: 'ec', crit: ['urn:x'], 'urn:x': true })
    .sign(ec.privateKey, { crit: { 'urn:x': true } })
  t.equal((await bear(token)).code, 'AUTH_JWT_MALFORMED')
})

t.test('long tokens, and more than one header', async (t) => {
  const { gw, bear } = await rig(t)
  const request = async (...authorization: string[]) => {
    const client = await connect({ port: gw.port })
    const lines = authorization.map((value) => `Authorization: ${value}\r\n`).join('')
    await client.send(`GET /api/v1/pipe/jobs HTTP/1.1\r\nHost: pipe.test\r\n${lines}\r\n`)
    const response = await client.waitForResponse()
    client.destroy()
    const code = response.headers['x-pipe-code']?.[0] ?? ''
    reached.add(code)
    return { status: response.status, code, challenge: response.headers['www-authenticate']?.[0] ?? '' }
  }
  const good = `Bearer ${await sign(ec)}`
  tokens.add(good.slice(7))
  t.match(await request(good, good), {
    status: 400,
    code: 'AUTH_JWT_SEVERAL_HEADERS',
    challenge: /error="invalid_request"/,
  })
  t.match(await request('Basic YTpi', good), { status: 400 })
  t.match(await request('', good), { status: 400 })
  t.equal((await request('Bearer ')).code, 'AUTH_JWT_MISSING')
  // uWebSockets itself refuses heads of this size.
  t.match(await request(`Bearer ${'a'.repeat(100_000)}`), { status: 431 })
  const padded = (length: number) => sign(ec, { claims: { padding: 'a'.repeat(length) } })
  t.equal((await bear(await padded(10_000))).status, 200)
  t.match(await bear(await padded(16_000)), { status: 401, code: 'AUTH_JWT_TOO_LONG' })
})

t.test('rights by claim', async (t) => {
  const open = await rig(t)
  for (const scope of [undefined, 'openid']) {
    t.equal((await open.bear(await sign(ec, { claims: { scope } }))).status, 200, 'no claim configured: every right')
  }
  const config = { rightsClaim: 'scope', rights: { send: ['pipe:send', 'pipe:all'], receive: 'pipe:receive' } }
  const { bear } = await rig(t, config)
  const cases: readonly (readonly [scope: unknown, method: string, status: number])[] = [
    ['pipe:send', 'PUT', 200],
    ['openid pipe:all', 'PUT', 200],
    [['openid', 'pipe:send'], 'PUT', 200],
    ['pipe:receive', 'PUT', 403],
    ['pipe:send', 'GET', 403],
    ['pipe:sender xpipe:send', 'PUT', 403],
    ['', 'PUT', 403],
    [undefined, 'PUT', 403],
  ]
  for (const [scope, method, status] of cases) {
    t.equal((await bear(await sign(ec, { claims: { scope } }), { method })).status, status, `${scope} for ${method}`)
  }
  const refused = await bear(await sign(ec, { claims: { scope: 'openid' } }))
  t.match(refused, { code: 'AUTH_JWT_NO_RIGHT', challenge: /error="insufficient_scope".*scope="pipe:send"$/ })
  t.match(refused.text, /lacks the right "send".*"pipe:send" or "pipe:all" in its claim "scope"/)
  t.equal((await bear(await sign(ec, { claims: { scope: 7 } }))).code, 'AUTH_JWT_BAD_IDENTITY')
  t.equal((await bear(await sign(ec, { claims: { scope: ['pipe:send', 7] } }))).code, 'AUTH_JWT_BAD_IDENTITY')
  const defaults = await rig(t, { rightsClaim: 'realm_access.roles', defaultRights: ['send'] })
  const roles = (...all: string[]) => sign(ec, { claims: { realm_access: { roles: all } } })
  t.equal((await defaults.bear(await sign(ec))).status, 200, 'the default')
  t.equal((await defaults.bear(await roles())).status, 403, 'an empty claim is not a missing one')
  t.equal((await defaults.bear(await roles('send'))).status, 200)
  const fixed = await rig(t, { defaultRights: ['receive'] })
  t.match((await fixed.bear(await sign(ec))).text, /lacks the right "send".*gives it to no token/)
})

t.test('names by claim', async (t) => {
  const { bear } = await rig(t, { namesClaim: 'pipes' })
  const token = (pipes: unknown) => sign(ec, { claims: { pipes } })
  t.equal((await bear(await token(['jobs/*', 'logs/**']), { name: 'logs/a/b' })).status, 200)
  t.equal((await bear(await token('jobs/* logs/**'), { name: 'jobs/a' })).status, 200)
  const refused = await bear(await token(['jobs/*', 'logs/**']), { name: 'jobs/a/b' })
  t.match(refused, { status: 403, code: 'AUTH_JWT_NO_NAME' })
  t.match(refused.text, /does not cover the name "jobs\/a\/b". It covers: jobs\/\*, logs\/\*\*/)
  t.match((await bear(await token([]))).text, /It covers: none/)
  t.match((await bear(await token(undefined))).text, /claim "pipes" of the token is missing/)
  t.equal((await bear(await token({ '*': true }))).code, 'AUTH_JWT_BAD_IDENTITY')
  const defaults = await rig(t, { namesClaim: 'pipes', defaultNames: ['public/*'] })
  t.equal((await defaults.bear(await sign(ec), { name: 'public/a' })).status, 200)
  t.equal((await defaults.bear(await sign(ec), { name: 'private' })).status, 403)
})

t.test('projects are apart', async (t) => {
  const { gw, bear } = await rig(t, { projectClaim: 'https://pipes.test/tenant', defaultProject: 'rest' })
  const token = (project: unknown) => sign(ec, { claims: { 'https://pipes.test/tenant': project } })
  const auth = async (project: unknown) => ['-H', `Authorization: Bearer ${await token(project)}`]
  const projects = ['red', 'blue', undefined]
  const receivers = []
  for (const project of projects) receivers.push(curl([...(await auth(project)), gw.url('jobs')]))
  await gw.holds(3, 0)
  t.strictSame([...gw.gateway.table.all()].map(({ key }) => key).sort(), ['blue jobs', 'red jobs', 'rest jobs'])
  for (const project of projects) {
    await curlDone([...(await auth(project)), '-T', '-', gw.url('jobs')], { input: `for ${project}` })
  }
  const got = await Promise.all(receivers.map((each) => each.result))
  t.strictSame(
    got.map(({ stdout }) => stdout.toString()),
    ['for red', 'for blue', 'for undefined'],
  )
  for (const wrong of [
    'red jobs',
    ' ',
    '',
    'a\nb',
    'a\u0000',
    'a\u00a0b',
    'a\u2028b',
    7,
    null,
    ['red'],
    {},
    'x'.repeat(129),
  ]) {
    const refused = await bear(await token(wrong))
    t.match(refused, { status: 403, code: 'AUTH_JWT_BAD_IDENTITY' }, encodeURI(JSON.stringify(wrong)))
    t.match(refused.text, /claim "https:\/\/pipes.test\/tenant" of the token is /)
  }
  for (const sub of ['a\nb', 7, 'x'.repeat(257)]) {
    t.match(await bear(await sign(ec, { claims: { sub } })), { status: 403 }, JSON.stringify(sub))
  }
})

t.test('who has been identified already goes on', async (t) => {
  const before = definePlugin({
    name: 'links',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup: () => ({
      hooks: {
        onAdmit(request, join) {
          if (request.query.startsWith('link')) {
            join.identify({ project: 'linked', subject: 'link', rights: new Set(['send'] as const) })
          }
        },
      },
    }),
  })
  const issuer = await startIssuer(t, ec)
  const jwt = { plugin: authJwt, config: { jwksUrl: issuer.url, issuer: 'issuer' } }
  const gw = await startGateway(t, { failedEnd: 'clean' }, { plugins: [jwt, { plugin: before }] })
  for (const headers of [
    [],
    ['-H', 'Authorization: Bearer nonsense'],
    ['-H', 'Authorization: a', '-H', 'Authorization: b'],
  ]) {
    const run = curl(['-N', ...headers, '-T', '-', gw.url('jobs?link')], { input: 'x' })
    await run.waitFor('Waiting for 1 receiver')
    t.strictSame(
      [...gw.gateway.table.all()].map(({ key }) => key),
      ['linked jobs'],
    )
    run.kill()
    await gw.holds(0, 0)
  }
  t.equal((await fetch(gw.url('jobs'))).status, 401)
})

t.test('rotation', async (t) => {
  const { bear, issuer } = await rig(t, { jwksCooldown: 1 }, [ec])
  t.equal((await bear(await sign(ec))).status, 200)
  issuer.keys = [ec, next]
  const token = await sign(next)
  await eventually(async () => (await bear(token)).status === 200 || 'the new key is not known yet')
  t.equal((await bear(await sign(ec))).status, 200, 'the old one is still in the set')
  const asked = issuer.asked.length
  t.ok(asked >= 2 && asked <= 12, `${asked} fetches`)
})

t.test('a key that was taken out', async (t) => {
  const { bear, issuer } = await rig(t, { jwksCooldown: 1, jwksMaxAge: 1 }, [ec, next])
  t.equal((await bear(await sign(ec))).status, 200)
  issuer.keys = [next]
  const token = await sign(ec)
  await eventually(async () => (await bear(token)).code === 'AUTH_JWT_UNKNOWN_KEY' || 'the old key still works')
})

/** Ways in which an issuer can be out of order. */
const BROKEN: readonly (readonly [string, (issuer: Issuer) => unknown, RegExp])[] = [
  ['down', (issuer) => issuer.down(), /cannot be reached/],
  ['status', (issuer) => reply(issuer, (response) => response.writeHead(500).end('{"keys":[]}')), /answered 500/],
  [
    'redirect',
    (issuer) => reply(issuer, (response) => response.writeHead(302, { location: '/x' }).end()),
    /answered 302/,
  ],
  ['html', (issuer) => reply(issuer, (response) => response.end('<html>SENSITIVE')), /not JSON/],
  ['null', (issuer) => reply(issuer, (response) => response.end('null')), /not a set of keys/],
  ['no set', (issuer) => reply(issuer, (response) => response.end('{"error":"SENSITIVE"}')), /not a set of keys/],
  ['no keys', (issuer) => reply(issuer, (response) => response.end('{"keys":[{"SENSITIVE":1}]}')), /not a set of keys/],
  ['endless', (issuer) => reply(issuer, (response) => response.end('x'.repeat(600_000))), /more than 524288 bytes/],
  [
    'cut',
    (issuer) =>
      reply(issuer, (response) =>
        response.writeHead(200, { 'content-length': '99' }).write('{', () => response.destroy()),
      ),
    /cannot be reached/,
  ],
]

function reply(issuer: Issuer, answer: (response: Parameters<NonNullable<Issuer['answer']>>[1]) => unknown): void {
  issuer.answer = (_request, response) => void answer(response)
}

t.test('an issuer that is out of order', (t) => {
  t.plan(BROKEN.length)
  t.jobs = BROKEN.length
  for (const [what, breaks, why] of BROKEN) {
    t.test(what, { buffered: true }, async (t) => {
      const issuer = await startIssuer(t, ec)
      await breaks(issuer)
      const { bear, gw } = await rig(t, { jwksUrl: issuer.url, jwksCooldown: 1 })
      const token = await sign(ec)
      const refused = await bear(token)
      t.match(refused, { status: 503, code: 'AUTH_JWT_NO_KEYS', retryAfter: /^[1-5]$/, challenge: '' })
      t.match(refused.text, /cannot be checked now.*Try again in [1-5] seconds/)
      const warned = () => gw.lines.filter(({ msg }) => msg === "the issuer's keys cannot be had")
      await eventually(() => warned().length > 0 || 'nobody is warned')
      t.equal(warned().length, 1)
      t.match(warned()[0], { plugin: 'auth-jwt', why })
      t.notMatch(JSON.stringify(gw.lines), /SENSITIVE/)
      issuer.answer = undefined
      await issuer.down()
      await issuer.up()
      await eventually(async () => (await bear(token)).status === 200 || 'still refused')
      // From now on its keys are known.
      await breaks(issuer)
      const asked = issuer.asked.length
      const unknown = await sign(next)
      await eventually(async () => (await bear(unknown)).status === 503 || 'not asked for the new key yet')
      if (what !== 'down') t.ok(issuer.asked.length > asked, 'the issuer has been asked again')
      t.equal((await bear(token)).status, 200, 'what is known goes on')
    })
  }
})

t.test('an issuer that hangs', async (t) => {
  const issuer = await startIssuer(t, ec)
  let hanging = 0
  issuer.answer = () => {
    hanging++
  }
  const link = definePlugin({
    name: 'auth-bearer',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup: () => ({
      hooks: {
        onAdmit(request, join) {
          if (request.query.startsWith('key'))
            join.identify({ project: '', subject: 'key', rights: new Set(['send'] as const) })
        },
      },
    }),
  })
  const jwt = { plugin: authJwt, config: { jwksUrl: issuer.url, issuer: 'issuer', jwksTimeout: 2 } }
  const gw = await startGateway(t, { failedEnd: 'clean' }, { plugins: [jwt, { plugin: link }] })
  const auth = ['-H', `Authorization: Bearer ${await sign(ec)}`]
  const waits = curl([...auth, '-i', '-T', '-', gw.url('jobs')], { input: 'x'.repeat(100_000) })
  const leaves = curl([...auth, gw.url('jobs')])
  await eventually(() => hanging === 1 || `${hanging} requests to the issuer`)
  // Meanwhile nobody else notices.
  const other = curl(['-N', '-T', '-', gw.url('other?key')], { input: 'x' })
  await other.waitFor('Waiting for 1 receiver')
  t.equal((await fetch(gw.url('health'))).status, 200)
  t.equal((await fetch(gw.url('jobs'))).status, 401)
  t.equal(waits.stdoutText, '', 'not decided yet')
  leaves.kill()
  other.kill()
  const refused = (await waits.result).stdout.toString()
  t.match(refused, /^HTTP\/1.1 503 .*^X-Pipe-Code: AUTH_JWT_NO_KEYS\r$/ms)
  t.match(refused, /^Retry-After: [1-5]\r$/m)
  t.equal(hanging, 1, 'one fetch for all')
  await gw.holds(0, 0)
})

t.test('no token is in any log', async (t) => {
  t.ok(tokens.size > 100)
  t.ok(logs.flat().length > tokens.size)
  t.doesNotThrow(() => secretsStayIn(JSON.stringify(logs)))
})

t.test('every refusal has been met', async (t) => {
  const code = (key: string) => `AUTH_JWT_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`
  const missing = Object.keys(FAILURES).filter((key) => !reached.has(code(key)))
  t.strictSame(missing, [])
})
