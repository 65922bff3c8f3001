/** Which pages may read what: on every kind of response there is, met over real connections. */
import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../../gateway/host/plugin-api.js'
import bearer from '../../../plugins/auth-bearer/index.js'
import cors from '../../../plugins/cors/index.js'
import limits from '../../../plugins/limits/index.js'
import { curl, curlDone } from '../../support/curl.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { connect, parseResponse, type RawResponse } from '../../support/raw.js'
import { pluginOfFile } from '../../support/threads/served.js'

const APP = 'https://app.example'
const EXPOSED =
  'X-Pipe-Transfer-Id, X-Hoody-Pipe-Transfer-Id, X-Pipe-Code, X-Pipe-Live, X-Hoody-Pipe-Live, X-Pipe-Offset, X-Pipe-Answer, X-Pipe-Ask-Method, Retry-After, Content-Disposition, Content-Range, WWW-Authenticate, Allow'
const REFLECTED = { origin: [APP], credentials: ['true'], vary: ['Origin'], exposed: EXPOSED }
const ANYBODY = { origin: ['*'], credentials: undefined, vary: ['Origin'], exposed: EXPOSED }
const NOBODY = { origin: undefined, credentials: undefined, vary: ['Origin'], exposed: undefined }

/** What a browser looks at. */
function corsOf({ headers }: Pick<RawResponse, 'headers'>) {
  return {
    origin: headers['access-control-allow-origin'],
    credentials: headers['access-control-allow-credentials'],
    vary: headers.vary,
    exposed: headers['access-control-expose-headers']?.[0],
  }
}

const withConfig = (plugin: unknown, config: unknown): LoadedPlugin => ({
  plugin: plugin as Plugin,
  config,
})

/** A complete response to one request on a connection of its own. */
async function ask(gw: Running, method: string, path: string, ...headers: string[]): Promise<RawResponse> {
  const client = await connect({ port: gw.port })
  await client.send([`${method} ${path} HTTP/1.1`, 'Host: pipe.test', ...headers, '', ''].join('\r\n'))
  const response = await client.waitForResponse({ head: method === 'HEAD' })
  client.destroy()
  return response
}

/** The head of a response that goes on. */
async function headOf(gw: Running, path: string, ...headers: string[]): Promise<RawResponse> {
  const client = await connect({ port: gw.port })
  await client.send([`GET ${path} HTTP/1.1`, 'Host: pipe.test', ...headers, '', ''].join('\r\n'))
  await client.waitFor('\r\n\r\n')
  const response = parseResponse(client.received)
  client.destroy()
  return response!
}

const faulty = await pluginOfFile(new URL('../in-files/faulty.js', import.meta.url))

const everything = async (config = { origins: ['*'] }) => [
  // Listed before the defaults, and asked behind them all the same.
  faulty,
  ...(await defaultPlugins()).map((each) => (each.plugin.name === 'cors' ? withConfig(cors, config) : each)),
]

t.test('every answer says who may read it', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await everything() })
  const asked: readonly [what: string, status: number, method: string, path: string, ...headers: string[]][] = [
    ['health', 200, 'GET', '/api/v1/pipe/health'],
    ['HEAD of health', 200, 'HEAD', '/api/v1/pipe/health'],
    ['metrics', 200, 'GET', '/api/v1/pipe/metrics'],
    ['help', 200, 'GET', '/help'],
    ['a page', 200, 'GET', '/jobs?progress', 'Accept: text/html'],
    ['a snapshot', 200, 'GET', '/jobs?status'],
    ['OPTIONS of a name', 204, 'OPTIONS', '/jobs'],
    ['OPTIONS of a reserved name', 204, 'OPTIONS', '/help'],
    ['a wrong parameter', 400, 'GET', '/jobs?n=0'],
    ['a method that means nothing', 405, 'PATCH', '/jobs'],
    ['a path of a plugin', 405, 'GET', '/api/v1/pipe/guests'],
    ['a name that is none', 400, 'GET', '/a/../b'],
    ['a name that is too long', 414, 'GET', `/${'x'.repeat(1025)}`],
    ['nothing there', 404, 'GET', '/health'],
    ['a wait that is over', 408, 'GET', '/late?wait=1'],
    ['nobody came', 408, 'PUT', '/alone?wait=1&reply=end', 'Content-Length: 0'],
    ['a plugin that throws', 500, 'GET', '/throws'],
    ['a plugin that answers', 200, 'GET', '/answers'],
  ]
  await Promise.all(
    asked.map(async ([what, status, method, path, ...headers]) => {
      const [known, foreign] = await Promise.all([
        ask(gw, method, path, ...headers),
        ask(gw, method, path.replace(/^\/(late|alone)/, '/$1-2'), ...headers, `Origin: ${APP}`),
      ])
      t.same([foreign.status, corsOf(foreign)], [status, REFLECTED], what)
      t.same([known.status, corsOf(known)], [status, ANYBODY], `${what}, without an origin`)
    }),
  )
  t.same(corsOf(await headOf(gw, '/jobs?progress', `Origin: ${APP}`)), REFLECTED, 'server-sent events')
})

t.test('both sides of a stream, and what the sender had to say is exposed to pages', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await everything() })
  const receiver = curl(['--raw', '-i', '-H', `Origin: ${APP}`, gw.url('jobs')])
  await gw.holds(1, 0)
  const sender = await curlDone([
    '--raw',
    '-i',
    '-H',
    `Origin: ${APP}`,
    '-H',
    'X-Piping: meta',
    '-d',
    'hello',
    gw.url('jobs'),
  ])
  t.same(corsOf(parseResponse(sender.stdout)!), REFLECTED)
  const got = parseResponse((await receiver.result).stdout)!
  t.same(got.headers['access-control-expose-headers'], ['X-Piping', EXPOSED])
  t.same({ ...corsOf(got), exposed: EXPOSED }, REFLECTED)
  t.equal(got.body.toString(), 'hello')
})

t.test('who is refused by another plugin can read why', async (t) => {
  const token = 'pg_a-token-that-is-long-enough-for-this'
  const gw = await startGateway(
    t,
    {},
    {
      plugins: [
        withConfig(bearer, { tokens: [{ name: 'me', token }] }),
        withConfig(limits, { address: { requests: { points: 1, seconds: 60 } } }),
        withConfig(cors, {}),
      ],
    },
  )
  const preflight = () => ask(gw, 'OPTIONS', '/jobs', `Origin: ${APP}`, 'Access-Control-Request-Method: PUT')
  t.same([(await preflight()).status, (await preflight()).status], [204, 204])
  // A preflight counts against no limit, what follows does.
  const unknown = await ask(gw, 'GET', '/jobs', `Origin: ${APP}`)
  t.same([unknown.status, corsOf(unknown)], [401, REFLECTED])
  const tooMany = await ask(gw, 'GET', '/jobs?status', `Origin: ${APP}`, `Authorization: Bearer ${token}`)
  t.same([tooMany.status, corsOf(tooMany)], [429, REFLECTED])
})

t.test('a preflight', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await everything() })
  const preflight = (path: string, ...headers: string[]) =>
    ask(gw, 'OPTIONS', path, 'Access-Control-Request-Method: PUT', ...headers)
  for (const path of ['/jobs', '/api/v1/pipe/jobs', '/', '/help', '/throws', '/a/../b']) {
    const { status, headers, body } = await preflight(path, `Origin: ${APP}`)
    t.same([status, body.length, headers['content-length']], [204, 0, undefined], path)
    t.same(corsOf({ headers }), REFLECTED)
    t.same(headers['access-control-allow-methods'], ['GET, HEAD, POST, PUT, DELETE, OPTIONS'])
    t.match(
      headers['access-control-allow-headers']?.[0],
      /Authorization, .*Content-Type, .*Last-Event-ID, .*X-Hoody-Pipe, X-Pipe-Answer-Status, X-Pipe-Size, X-Piping/,
    )
    t.same(headers['access-control-max-age'], ['86400'])
    t.same(headers['access-control-allow-private-network'], undefined)
  }
  const private_ = await preflight('/jobs', `Origin: ${APP}`, 'Access-Control-Request-Private-Network: true')
  t.same(private_.headers['access-control-allow-private-network'], ['true'])
  t.same(corsOf(await preflight('/jobs')), ANYBODY, 'without an origin')
  t.same(corsOf(await preflight('/jobs', 'Origin: null')), ANYBODY, 'null')
})

t.test('an origin that is none goes nowhere', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await everything() })
  for (const origin of ['null', 'x', 'https://a b', `https://${'x'.repeat(600)}`, 'https://\xe4', '<script>']) {
    const response = await ask(gw, 'GET', '/help', `Origin: ${origin}`)
    t.same([response.status, corsOf(response)], [200, ANYBODY], origin)
  }
})

t.test('a list of origins', async (t) => {
  const gw = await startGateway(t, {}, { plugins: [withConfig(cors, { origins: [APP, 'http://localhost:3000'] })] })
  const from = (...headers: string[]) => ask(gw, 'GET', '/help', ...headers)
  t.same(corsOf(await from(`Origin: ${APP}`)), REFLECTED)
  t.same(corsOf(await from()), NOBODY)
  for (const origin of [
    'null',
    'https://app.example.evil',
    'https://app.example:444',
    'http://app.example',
    'HTTPS://APP.EXAMPLE',
  ]) {
    t.same(corsOf(await from(`Origin: ${origin}`)), NOBODY, origin)
    const preflight = await ask(gw, 'OPTIONS', '/jobs', `Origin: ${origin}`, 'Access-Control-Request-Method: PUT')
    t.same([preflight.status, corsOf(preflight)], [204, NOBODY])
    t.same(
      Object.keys(preflight.headers).filter((name) => name.startsWith('access-control')),
      [],
    )
    t.same(preflight.headers.allow, ['GET, POST, PUT, OPTIONS'])
  }
  const nulls = await startGateway(t, {}, { plugins: [withConfig(cors, { origins: ['null'] })] })
  t.same(corsOf(await ask(nulls, 'GET', '/help', 'Origin: null')), ANYBODY)
  t.same(corsOf(await ask(nulls, 'GET', '/help', `Origin: ${APP}`)), NOBODY)
})

t.test('without a list: nobody, or everybody where nobody comes in without a token', async (t) => {
  const tokens = [{ name: 'me', token: 'pg_a-token-that-is-long-enough-for-this' }]
  const own = [withConfig(cors, {}), ...(await defaultPlugins()).filter(({ plugin }) => plugin.name !== 'cors')]
  const gateways = [
    ['by default', await startGateway(t, {}, { plugins: own }), NOBODY],
    ['with tokens', await startGateway(t, {}, { plugins: [...own, withConfig(bearer, { tokens })] }), REFLECTED],
    [
      'with tokens for some',
      await startGateway(t, {}, { plugins: [...own, withConfig(bearer, { tokens, anonymous: ['receive'] })] }),
      NOBODY,
    ],
  ] as const
  for (const [what, gw, expected] of gateways) {
    t.same(corsOf(await ask(gw, 'GET', '/help', `Origin: ${APP}`)), expected, what)
    const asked = ['Access-Control-Request-Method: PUT', 'Access-Control-Request-Private-Network: true']
    const preflight = await ask(gw, 'OPTIONS', '/jobs', `Origin: ${APP}`, ...asked)
    t.same([preflight.status, corsOf(preflight)], [204, expected], what)
    t.equal(preflight.headers['access-control-allow-private-network'], undefined, `${what}: no private network`)
  }
  const named = await startGateway(t, {}, { plugins: [withConfig(cors, { origins: [APP] })] })
  const private_ = ['Access-Control-Request-Method: PUT', 'Access-Control-Request-Private-Network: true']
  const preflight = await ask(named, 'OPTIONS', '/jobs', `Origin: ${APP}`, ...private_)
  t.same(preflight.headers['access-control-allow-private-network'], ['true'])
})

t.test('a list that is wrong stops the start', async (t) => {
  for (const origin of [
    'https://app.example/',
    'https://app.example:443',
    'app.example',
    '**',
    'https://APP.example',
  ]) {
    await t.rejects(
      startGateway(t, {}, { plugins: [withConfig(cors, { origins: [origin] })] }),
      /origins\[0\]: expected \* for all, or an origin/,
    )
  }
  await t.rejects(startGateway(t, {}, { plugins: [withConfig(cors, { origins: [] })] }), /at least one origin/)
})

t.test('without the plugin nobody is told anything', async (t) => {
  const gw = await startGateway(t)
  t.same(corsOf(await ask(gw, 'GET', '/help', `Origin: ${APP}`)), { ...NOBODY, vary: undefined })
})
