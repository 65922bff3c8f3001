/** Who may send may send live, and who may receive may view: by token, by JWT, by link; and what limits count. */
import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import authJwt from '../../../plugins/auth-jwt/index.js'
import limits from '../../../plugins/limits/index.js'
import { linksPlugin } from '../../../plugins/links/index.js'
import { curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { type IssuerKey, sign } from '../../support/issuer.js'
import { broadcast } from './rig.js'

const SECRET = 'a secret that is long enough for all of it'
const [OWNER, SENDER, VIEWER, LOOKER] = [newToken(), newToken(), newToken(), newToken()]
const loaded = (plugin: unknown, config: object): LoadedPlugin => ({ plugin: plugin as Plugin, config })

const bearer = loaded(authBearer, {
  tokens: [
    { name: 'owner', project: 'one', hash: OWNER.hash },
    { name: 'sender', project: 'one', hash: SENDER.hash, rights: ['send'] },
    { name: 'viewer', project: 'one', hash: VIEWER.hash, rights: ['receive'] },
    { name: 'looker', project: 'one', hash: LOOKER.hash, rights: ['watch'] },
  ],
})
const jwts = loaded(authJwt, { secret: SECRET, issuer: 'issuer', audience: 'pipes', rightsClaim: 'rights' })
const key = { alg: 'HS256', kid: 'one', privateKey: Buffer.from(SECRET) } as unknown as IssuerKey
const jwt = (...rights: string[]) => sign(key, { claims: { project: 'one', rights } })
const auth = (token: string) => ['-H', `Authorization: Bearer ${token}`]

async function statusOf(gateway: Running, target: string, args: readonly string[]): Promise<string> {
  const upload = target.includes('send') ? ['-T', '-'] : []
  const run = await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...upload, ...args, gateway.url(target)], {
    input: 'x',
  })
  return run.stdout.toString()
}

for (const [what, plugins, tokens] of [
  ['tokens', [bearer], async () => [SENDER.token, VIEWER.token, LOOKER.token]],
  ['JWTs', [jwts], () => Promise.all([jwt('send'), jwt('receive'), jwt('watch')])],
] as const) {
  t.test(`${what}: send, receive and watch mean for ?live what they mean for pipes`, async (t) => {
    const gateway = await startGateway(t, {}, { plugins })
    const [sends, views, looks] = (await tokens()) as [string, string, string]
    const live = await broadcast(gateway, 'one tv', 'tv?live', ...auth(sends))
    const viewer = await live.view('tv?live', ...auth(views))
    const plain = await live.view('tv', ...auth(views))
    for (const [target, args, status] of [
      ['tv?live', [], '401'],
      ['tv', [], '401'],
      ['other?live&send', [], '401'],
      ['tv?live', auth(sends), '403'],
      ['tv', auth(looks), '403'],
      ['tv?live', auth(looks), '403'],
      ['other?live&send', auth(views), '403'],
      ['other?live&send', auth(looks), '403'],
      ['tv?live&send', auth(sends), '409'],
    ] as const) {
      t.equal(await statusOf(gateway, target, args), status, `${target} ${args.length > 0}`)
    }
    t.equal(gateway.gateway.table.get('one tv')?.live?.viewers, 2, 'none of them took a place')
    await live.send('for those who may')
    live.sender.stdin.end()
    for (const run of [viewer, plain]) t.equal((await run.result).stdout.toString(), 'for those who may')
    t.equal((await live.sender.result).code, 0)
  })
}

t.test('a link to receive opens a live stream, for any number of viewers, and one to watch does not', async (t) => {
  const plugins = [bearer, loaded(linksPlugin(), { secret: SECRET })]
  const gateway = await startGateway(t, {}, { plugins })
  const live = await broadcast(gateway, 'one tv', 'tv?live', ...auth(OWNER.token))
  const linked = async (right: 'receive' | 'watch') => {
    const made = await curlDone([...auth(OWNER.token), gateway.url(`tv?link=${right}`)])
    return `sig=${new URL(made.stdout.toString().trim()).searchParams.get('sig')}`
  }
  const [receive, watch] = [await linked('receive'), await linked('watch')]
  const viewers = [await live.view(`tv?live&${receive}`), await live.view(`tv?${receive}`)]
  t.equal(await statusOf(gateway, `tv?live&${watch}`, []), '403')
  t.equal(await statusOf(gateway, `tv?live&send&${receive}`, []), '403')
  await live.send('linked')
  live.sender.stdin.end()
  for (const run of viewers) t.equal((await run.result).stdout.toString(), 'linked')
})

t.test('limits: how many viewers a token has at once, and how many it opens; bytes by the sender', async (t) => {
  const config = { token: { pipes: 3, transfers: { points: 4, seconds: 600 }, bytesPerTransfer: 20 } }
  const gateway = await startGateway(t, {}, { plugins: [bearer, loaded(limits, config)] })
  const codeOf = async (target: string, token: string) =>
    (
      await curlDone(['-w', '%header{x-pipe-code}', '-o', '/dev/null', ...auth(token), gateway.url(target)])
    ).stdout.toString()
  const live = await broadcast(gateway, 'one tv', 'tv?live', ...auth(SENDER.token))
  const viewers = []
  for (let i = 0; i < 3; i++) viewers.push(await live.view('tv?live', ...auth(VIEWER.token)))
  t.equal(await codeOf('tv?live', VIEWER.token), 'LIMITS_PIPES')
  viewers.pop()!.kill()
  await eventually(() => gateway.gateway.table.get('one tv')?.live?.viewers === 2 || 'it is still there')
  viewers.push(await live.view('tv', ...auth(VIEWER.token)))
  viewers.pop()!.kill()
  await eventually(() => gateway.gateway.table.get('one tv')?.live?.viewers === 2 || 'it is still there')
  t.equal(await codeOf('tv', VIEWER.token), 'LIMITS_TRANSFERS')
  await live.send('within what it may')
  // An open input would keep curl waiting for more of it.
  live.sender.stdin.end('and beyond')
  t.equal(await gateway.ended('one tv'), 'too_large')
  for (const run of viewers) {
    const { code, stdout } = await run.result
    t.same([code, stdout.toString()], [18, 'within what it may'])
  }
  t.match(
    (await live.sender.result).stdout.toString(),
    /\[ERROR\] Transfer failed: it has more bytes than it may have\.\n$/,
  )
})
