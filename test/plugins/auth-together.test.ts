/** Tokens and JWTs on one gateway: who of the two plugins answers for whom, and what `limits` counts. */

import t, { type Test } from 'tap'
import type { LoadedPlugin } from '../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../gateway/host/plugin-api.js'
import authBearer from '../../plugins/auth-bearer/index.js'
import { newToken } from '../../plugins/auth-bearer/new-token.js'
import authJwt from '../../plugins/auth-jwt/index.js'
import limits from '../../plugins/limits/index.js'
import { curl, curlDone } from '../support/curl.js'
import { type Running, startGateway } from '../support/gateway.js'
import { type IssuerKey, sign } from '../support/issuer.js'

const SECRET = 'a secret that is long enough for HS256'
const CI = newToken()
const DOTTED = 'a.token-with.two-dots-in-it'
const shared = (secret: string) =>
  ({ alg: 'HS256', kid: 'one', privateKey: Buffer.from(secret) }) as unknown as IssuerKey
const key = shared(SECRET)
const stranger = shared(SECRET.toUpperCase())
const jwt = (claims: Record<string, unknown> = {}) => sign(key, { claims: { project: 'builds', ...claims } })

const bearer: LoadedPlugin = {
  plugin: authBearer as unknown as Plugin,
  config: {
    tokens: [
      { name: 'ci', project: 'builds', hash: CI.hash },
      { name: 'dotted', project: 'builds', token: DOTTED },
    ],
  },
}
const jwts: LoadedPlugin = {
  plugin: authJwt as unknown as Plugin,
  config: { secret: SECRET, issuer: 'issuer', audience: 'pipes' },
}
const limited = (config: object): LoadedPlugin => ({ plugin: limits as unknown as Plugin, config })

const auth = (token: string) => ['-H', `Authorization: Bearer ${token}`]

/** What a request is refused with; `in` when it has been let in, and its receiver is gone again. */
async function ask(gw: Running, args: readonly string[], name = 'jobs') {
  const { stdout } = await curlDone(['-i', ...args, gw.url(`${name}?wait=1`)])
  const head = stdout.toString()
  const field = (wanted: string) =>
    [...head.matchAll(new RegExp(`^${wanted}: (.*)\r$`, 'gim'))].map(([, value]) => value)
  return { code: field('X-Pipe-Code')[0], challenges: field('WWW-Authenticate'), limit: field('X-Pipe-Limit')[0] }
}

for (const plugins of [
  [bearer, jwts],
  [jwts, bearer],
]) {
  t.test(`loaded as ${plugins.map(({ plugin }) => plugin.name).join(', ')}`, async (t) => {
    const gw = await startGateway(t, {}, { plugins })
    // More claims than fit into a token of auth-bearer's own.
    const long = await jwt({ groups: 'x'.repeat(5000) })
    for (const [sends, receives] of [
      [CI.token, await jwt()],
      [await jwt(), CI.token],
      [DOTTED, long],
    ] as const) {
      const receiver = curl([...auth(receives), gw.url('jobs')])
      const sender = await curlDone([...auth(sends), '-d', 'hello', gw.url('jobs')])
      t.match(sender.stdout.toString(), 'Transfer complete.')
      t.equal((await receiver.result).stdout.toString(), 'hello')
    }
    t.same(await ask(gw, []), {
      code: 'AUTH_BEARER_MISSING',
      challenges: ['Bearer realm="pipegate"', 'Basic realm="pipegate", charset="UTF-8"'],
      limit: undefined,
    })
    t.same(await ask(gw, auth(await sign(stranger))), {
      code: 'AUTH_JWT_SIGNATURE',
      challenges: [
        'Bearer realm="pipegate", error="invalid_token", error_description="The signature of the token is wrong."',
      ],
      limit: undefined,
    })
    t.match(await ask(gw, auth('not-a-token-of-anybody')), { code: 'AUTH_BEARER_UNKNOWN' })
    t.match(await ask(gw, [...auth(await jwt()), ...auth(CI.token)]), { code: 'AUTH_BEARER_REPEATED' })
    const basic = ['-u', `:${await jwt()}`]
    t.match(await ask(gw, basic), { code: 'AUTH_BEARER_UNKNOWN' }, 'a JWT is no password')
  })
}

/** A receiver that waits until it is let go. */
async function waits(gw: Running, token: string, name: string) {
  const { table } = gw.gateway
  const receiver = curl([...auth(token), gw.url(name)])
  await gw.holds(table.waiting + 1, 0)
  return async () => {
    receiver.kill()
    await gw.holds(table.waiting - 1, 0)
  }
}

for (const plugins of [[bearer, jwts], [jwts]]) {
  t.test(`limits know whom ${plugins.map(({ plugin }) => plugin.name).join(', ')} let in`, async (t: Test) => {
    const config = { token: { pipes: 1, requests: { points: 3, seconds: 600 } }, project: { pipes: 2 } }
    const gw = await startGateway(t, {}, { plugins: [limited(config), ...plugins] })
    const [anna, ben, carl] = [await jwt({ sub: 'anna' }), await jwt({ sub: 'ben' }), await jwt({ sub: 'carl' })]
    const annaLeaves = await waits(gw, anna, 'a')
    t.match(await ask(gw, auth(anna), 'x'), { code: 'LIMITS_PIPES', limit: 'token.pipes' })
    t.match(await ask(gw, auth(await sign(stranger, { claims: { sub: 'ben' } })), 'x'), { code: 'AUTH_JWT_SIGNATURE' })
    const benLeaves = await waits(gw, ben, 'b')
    t.match(await ask(gw, auth(carl), 'x'), { code: 'LIMITS_PIPES', limit: 'project.pipes' })
    await annaLeaves()
    const carlLeaves = await waits(gw, carl, 'c')
    t.match(await ask(gw, auth(anna), 'x'), { code: 'LIMITS_PIPES', limit: 'project.pipes' })
    t.match(await ask(gw, auth(anna), 'x'), { code: 'LIMITS_REQUESTS', limit: 'token.requests' })
    const elsewhere = await waits(gw, await jwt({ sub: 'anna', project: 'other' }), 'a')
    await elsewhere()
    await benLeaves()
    await carlLeaves()
  })
}

t.test('what a JWT may send is limited before it flows', async (t) => {
  const gw = await startGateway(t, {}, { plugins: [limited({ token: { bytesPerTransfer: 3 } }), jwts] })
  t.match(await ask(gw, [...auth(await jwt()), '-d', 'long'], 'x'), { code: 'LIMITS_TOO_LARGE' })
})
