/** openapi.json against its specification, against the code, against the documentation, and against real answers. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import t from 'tap'
import { END_REASONS, endingOf, type Plugin } from '../../../gateway/host/plugin-api.js'
import { FAILURES } from '../../../gateway/http/failures.js'
import { HEAD_FAILURES } from '../../../gateway/http/head-failures.js'
import { Parameters } from '../../../gateway/http/parameters.js'
import bearer from '../../../plugins/auth-bearer/index.js'
import { BUNDLED, DEFAULTS } from '../../../plugins/bundled.js'
import links from '../../../plugins/links/index.js'
import { openApi } from '../../../plugins/openapi/document.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { PROJECT } from '../../support/program.js'
import { connect, type RawResponse } from '../../support/raw.js'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Contents }
  readonly responses: Readonly<Record<string, Response>>
}
interface Parameter {
  readonly name: string
  readonly in: string
  readonly schema: object
  readonly example: unknown
}
interface Response {
  readonly $ref?: string
  readonly description: string
  readonly headers: Readonly<Record<string, { readonly $ref?: string; readonly required?: boolean }>>
  readonly content?: Contents
}
type Contents = Readonly<
  Record<string, { schema: object; example?: unknown; examples?: Record<string, { value: unknown }> }>
>

const TOKEN = 'pg_a-token-that-is-long-enough-for-this'
const document = openApi('/api/v1/pipe')
const { components } = document
const METHODS = ['get', 'head', 'put', 'post', 'options', 'delete', 'patch'] as const

/** Every operation with its method and path. */
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => {
    const operation = (item as unknown as Record<string, Operation>)[method]
    if (operation === undefined) return []
    const shared = (item as { parameters?: readonly Parameter[] }).parameters ?? []
    const parameters = [...shared, ...(operation.parameters ?? [])]
    return [{ path, method: method.toUpperCase(), operation: { ...operation, parameters } }]
  }),
)

function responseOf(operation: Operation, status: number): Response | undefined {
  const found = operation.responses[status]
  const { $ref } = found ?? {}
  return $ref === undefined ? found : (components.responses as Record<string, Response>)[$ref.split('/').at(-1)!]
}

const ajv = new Ajv2020({ strict: false, allErrors: true, unicodeRegExp: false })
formats.default(ajv)
ajv.addSchema({ $id: 'openapi', ...document })
/** What is wrong with a value, by a schema of the document. */
function wrong(schema: object, value: unknown): string {
  const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'))
  const check = ajv.compile(local)
  return check(value) ? '' : ajv.errorsText(check.errors)
}
const ref = (name: keyof typeof components.schemas) => ({ $ref: `#/components/schemas/${name}` })

const all = async () => [
  {
    plugin: bearer as unknown as Plugin,
    config: { tokens: [{ name: 'me', token: TOKEN }], anonymous: ['send', 'receive', 'watch'] },
  },
  { plugin: links as unknown as Plugin, config: { secret: 'a secret of a good length, for tests' } },
  ...(await defaultPlugins()),
]

async function ask(gw: Running, method: string, path: string, ...headers: string[]): Promise<RawResponse> {
  const client = await connect({ port: gw.port })
  await client.send([`${method} ${path} HTTP/1.1`, 'Host: pipe.test', ...headers, '', ''].join('\r\n'))
  const response = await client.waitForResponse({ head: method === 'HEAD' })
  client.destroy()
  return response
}

t.test('it is OpenAPI 3.1, and each of its examples is what its schema says', async (t) => {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as unknown as object)
  t.ok(valid, JSON.stringify(errors))
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'each operation has a name of its own')
  for (const { operation } of operations) {
    const { operationId, parameters, requestBody, responses } = operation
    for (const { name, schema, example } of parameters) t.equal(wrong(schema, example), '', `${operationId} ${name}`)
    const contents = [
      requestBody?.content,
      ...Object.keys(responses).map((each) => responseOf(operation, Number(each))?.content),
    ]
    for (const content of contents) {
      for (const [type, { schema, example, examples = {} }] of Object.entries(content ?? {})) {
        const values = [example, ...Object.values(examples).map(({ value }) => value)].filter(
          (each) => each !== undefined,
        )
        t.ok(values.length > 0 || JSON.stringify(schema) === '{}', `${operationId} ${type} has an example`)
        for (const value of values) t.equal(wrong(schema, value), '', `${operationId} ${type}`)
      }
    }
  }
})

t.test('it is served with and without the prefix, for this host', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const [here, bare, alias] = await Promise.all(
    ['/api/v1/pipe/openapi.json', '/openapi.json', '/OpenAPI.json/'].map((path) => ask(gw, 'GET', path)),
  )
  t.same(JSON.parse(here!.body.toString()), JSON.parse(JSON.stringify(document)))
  t.same(bare!.body, here!.body)
  t.same(alias!.body, here!.body)
  t.same(here!.headers['content-type'], ['application/json'])
  t.equal(new URL(document.servers[0]!.url, gw.url('openapi.json')).href, `${gw.origin}/api/v1/pipe`)
  t.equal(openApi('').servers[0]!.url, '/')
})

t.test('it has every refusal and every end, and no other', async (t) => {
  const own = [...Object.values(FAILURES), ...Object.values(HEAD_FAILURES)]
  const ends = END_REASONS.filter((reason) => reason !== 'complete').map((reason) => ({
    code: reason.toUpperCase(),
    status: endingOf(reason, { endFailure: undefined }).status,
  }))
  const ofPlugins = await Promise.all(
    DEFAULTS.map(async (name) => {
      const { failures = {} } = (await BUNDLED[name]!()).default
      return Object.entries(failures).map(([key, { status }]) => ({
        code: `${name}_${key}`.replace(/[A-Z]/g, '_$&').replace(/-/g, '_').toUpperCase(),
        status,
      }))
    }),
  )
  const wanted = [...own, ...ends, ...ofPlugins.flat()].map(({ code, status }) => `${status} ${code}`)
  const found = Object.entries(components.responses).flatMap(([status, { description }]) =>
    [...description.matchAll(/^- `(\w+)`/gm)].map(([, code]) => `${status} ${code}`),
  )
  t.same([...new Set(found)].sort(), [...new Set(wanted)].sort())
  const answered = new Set(operations.flatMap(({ operation }) => Object.keys(operation.responses)))
  t.same(
    Object.keys(components.responses).filter((status) => !answered.has(status)),
    [],
    'each is of some operation',
  )
  const coded = new Set(found.map((each) => each.slice(0, 3)))
  t.same(
    Object.keys(components.responses).filter((status) => !coded.has(status)),
    [],
    'each has a code',
  )
})

t.test('it has every parameter that is looked at, and no other', async (t) => {
  // Each way to ask for one goes through this.
  const read = new Set<string>()
  const { get } = Parameters.prototype
  Parameters.prototype.get = function (name) {
    read.add(name)
    return get.call(this, name)
  }
  t.teardown(() => {
    Parameters.prototype.get = get
  })
  const gw = await startGateway(t, {}, { plugins: await all() })
  const readBy = async (method: string, ...asked: [path: string, ...headers: string[]][]) => {
    read.clear()
    for (const [path, ...headers] of asked) await ask(gw, method, path, ...headers)
    return looked(method)
  }
  /** Looked at to be refused: whoever asks with GET has no body to say something of, and no upload is a WebSocket. */
  const refusedBy: Record<string, readonly string[]> = {
    GET: ['answer', 'take', 'min', 'lag', 'reply', 'stall', 'size', 'lines'],
    PUT: ['join', 'download', 'filename', 'ws'],
    POST: ['join', 'download', 'filename', 'ws'],
  }
  const looked = (method: string) =>
    [...read].filter((name) => !(refusedBy[method] ?? refusedBy.GET!).includes(name)).sort()
  const told = (method: string, path: string) =>
    operations
      .filter((each) => each.method === method && each.path === path)
      .flatMap(({ operation }) => operation.parameters!)
      .filter((each) => each.in === 'query')
      .map(({ name }) => name)
      .sort()
  const authorized = `Authorization: Bearer ${TOKEN}`
  for (const method of ['PUT', 'POST']) {
    const found = await readBy(
      method,
      ['/a?wait=1&reply=end', 'Content-Length: 0'],
      ['/a?live&reply=end', 'Content-Length: 0'],
      ['/a?queue&wait=1&reply=end', 'Content-Length: 0'],
      ['/a?ask&wait=1', 'Content-Length: 0'],
      ['/b?topic', 'Content-Length: 0'],
    )
    t.same(found, told(method, '/{name}'), method)
  }
  const get_ = await readBy(
    'GET',
    ['/a?wait=1'],
    ['/a?live&wait=1'],
    ['/a?queue&wait=1'],
    ['/b?topic&now'],
    ['/a?ask&wait=1'],
    ['/a?progress', 'Accept: application/json'],
    ['/a?status'],
    ['/a?receive=0&wait=1', 'Accept: text/html'],
    ['/a?video'],
    ['/a?share'],
    ['/a?link=watch', authorized],
  )
  // Until the end of the events, which a gateway that stops makes.
  const events = curl(['-N', gw.url('a?progress')])
  await events.waitFor('event: state')
  events.kill()
  // A viewer with a size is refused.
  const found = looked('GET').filter((name) => name !== 'size')
  t.same(found, told('GET', '/{name}'), `GET, besides ${get_.length}`)
  const known = new Set(told('GET', '/{name}'))
  t.same(
    (await readBy('HEAD', ['/a?status'])).filter((name) => !known.has(name)),
    [],
    'HEAD',
  )
  for (const { path, method } of operations) {
    // The modes of a name are looked for, and refused, on a reserved one too.
    if (path === '/{name}') continue
    const wanted = told(method, path)
    const found = await readBy(method, [path], [`${path}?name=jobs`])
    t.same(
      found.filter((name) => !known.has(name) || wanted.includes(name)),
      wanted,
      `${method} ${path}`,
    )
  }
})

t.test('no source reads a parameter that it has not', async (t) => {
  const known = new Set(
    operations.flatMap(({ operation }) =>
      operation.parameters!.filter((each) => each.in === 'query').map(({ name }) => name),
    ),
  )
  const sources = ['gateway', 'plugins'].flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true })
      .filter((file) => String(file).endsWith('.ts') && !String(file).includes('/watch/'))
      .map((file) => readFileSync(join(PROJECT, folder, String(file)), 'utf8')),
  )
  const reads = sources.flatMap((source) => [
    ...source.matchAll(/[pP]arameters(?:\([^()]*\))?\.(?:get|switch|integer|word)(?:<\w+>)?\('(\w+)'/g),
    ...source.matchAll(/\bparam: '(\w+)'/g),
  ])
  t.ok(reads.length > 12, `${reads.length} were found`)
  for (const [text, name] of reads) t.ok(known.has(name!), text)
})

t.test('the methods of each path are those that the gateway allows', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await all() })
  for (const path of Object.keys(document.paths)) {
    const target = path === '/{name}' ? '/jobs' : path
    const told = operations.filter((each) => each.path === path).map(({ method }) => method)
    // HEAD of a name is for ?status only.
    const wanted = path === '/{name}' ? told.filter((method) => method !== 'HEAD') : told
    const { status, headers } = await ask(gw, 'OPTIONS', `/api/v1/pipe${target}`)
    t.same([status, headers.allow?.[0]?.split(', ').sort()], [204, [...wanted].sort()], path)
    const other = await ask(gw, 'PATCH', `/api/v1/pipe${target}`)
    t.same([other.status, other.headers.allow], [405, headers.allow], path)
    if (path === '/{name}') continue
    for (const method of ['PUT', 'POST']) {
      const refused = await ask(gw, method, `/api/v1/pipe${target}`, 'Content-Length: 0')
      t.same([refused.status, refused.headers['x-pipe-code']], [400, ['RESERVED_NAME']], `${method} ${path}`)
    }
  }
})

t.test('the documentation knows every parameter, field and status', async (t) => {
  const read = (file: string) => readFileSync(join(PROJECT, 'docs', file), 'utf8')
  const protocol = read('protocol.md')
  const pages = protocol + read('plugins/links.md') + read('plugins/media.md')
  for (const { operation, path } of operations) {
    for (const each of operation.parameters!) {
      if (each.in === 'query' && path === '/{name}') t.match(pages, new RegExp(`[?&\`]${each.name}\\b`), each.name)
    }
  }
  for (const name of ['Snapshot', 'Receipt', 'Figures', 'History'] as const) {
    for (const field of Object.keys((components.schemas[name] as { properties: object }).properties))
      t.match(protocol, `\`${field}\``, `${name} ${field}`)
  }
})

type Asked = readonly [status: number, method: string, path: string, target: string, ...headers: string[]]

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** Headers that say nothing of what is answered. */
const OF_HTTP = new Set([
  'date',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'uwebsockets',
])

t.test('real answers are as it says: status, headers, type and JSON', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await all() })
  const authorized = `Authorization: Bearer ${TOKEN}`
  const json = 'Accept: application/json'
  const preflight = ['Origin: https://app.example', 'Access-Control-Request-Method: PUT']
  const asked: readonly Asked[] = [
    [408, 'PUT', '/{name}', '/alone?wait=1&reply=end', 'Content-Length: 0'],
    [200, 'GET', '/{name}', '/jobs?status', authorized],
    [200, 'GET', '/{name}', '/jobs?progress', 'Accept: text/html'],
    [200, 'GET', '/{name}', '/jobs?link=watch', json, authorized],
    [200, 'GET', '/{name}', '/jobs?link=receive&ttl=60', authorized],
    [200, 'HEAD', '/{name}', '/jobs?status'],
    [400, 'GET', '/{name}', '/jobs?n=0'],
    [400, 'PUT', '/{name}', '/jobs?n=0', 'Content-Length: 0', json],
    [401, 'GET', '/{name}', '/jobs', 'Authorization: Bearer wrong', json],
    [403, 'GET', '/{name}', '/jobs?sig=wrong'],
    [404, 'GET', '/{name}', '/jobs?status&transfer=0123456789abcdef', json],
    [405, 'HEAD', '/{name}', '/jobs'],
    [405, 'GET', '/{name}', '/jobs?duplex', json],
    [405, 'PUT', '/{name}', '/jobs?ws', ...UPGRADE, 'Content-Length: 0'],
    [426, 'GET', '/{name}', '/jobs?ws', json],
    [101, 'GET', '/{name}', '/talk?ws', ...UPGRADE, 'Sec-WebSocket-Protocol: chat'],
    [408, 'GET', '/{name}', '/late?wait=1', json],
    [414, 'GET', '/{name}', `/${'x'.repeat(1025)}`],
    [414, 'GET', '/{name}', `/${'x'.repeat(17_000)}`],
    [417, 'PUT', '/{name}', '/jobs', 'Content-Length: 0', 'Expect: more'],
    [501, 'PUT', '/{name}', '/jobs', 'Transfer-Encoding: gzip'],
    [431, 'PUT', '/{name}', '/jobs', `X-Piping: ${'x'.repeat(9000)}`, 'Content-Length: 0'],
    [204, 'OPTIONS', '/{name}', '/jobs', ...preflight, 'Access-Control-Request-Private-Network: true'],
    ...['GET', 'HEAD'].flatMap((method) =>
      Object.keys(document.paths)
        .filter((path) => path !== '/{name}')
        .map((path) => [200, method, path, `/api/v1/pipe${path}`] satisfies Asked),
    ),
    [404, 'GET', '/metrics', '/metrics', json],
  ]
  await Promise.all(
    asked.map(async ([status, method, path, target, ...headers]) => {
      const what = `${method} ${target.slice(0, 40)} ${headers.join(' ').slice(0, 60)}`
      const answer = await ask(gw, method, target, ...headers)
      const { operation } = operations.find((each) => each.path === path && each.method === method)!
      const told = responseOf(operation, answer.status)
      t.equal(answer.status, status, what)
      if (told === undefined) return void t.fail(`${what}: ${answer.status} is not in openapi.json`)
      const names = new Map(Object.entries(told.headers).map(([name, of]) => [name.toLowerCase(), of]))
      const more = Object.keys(answer.headers).filter((name) => !names.has(name) && !OF_HTTP.has(name))
      t.same(more, [], `${what} has no other headers`)
      if (told.$ref === undefined && method !== 'OPTIONS' && status >= 400) {
        const missing = [...names].filter(([name, of]) => isRequired(of) && answer.headers[name] === undefined)
        t.same(
          missing.map(([name]) => name),
          [],
          `${what} has its headers`,
        )
      }
      const type = answer.headers['content-type']?.[0]?.split(';')[0]
      if (type === undefined || method === 'HEAD') return
      const content = told.content?.[type]
      if (content === undefined) return void t.fail(`${what}: ${type} is not in openapi.json`)
      const text = answer.body.toString()
      t.equal(wrong(content.schema, type === 'application/json' ? JSON.parse(text) : text), '', what)
    }),
  )
  t.equal(wrong(ref('Health'), JSON.parse((await ask(gw, 'GET', '/api/v1/pipe/health')).body.toString())), '')
  t.equal(wrong(ref('Health'), { status: 'ok' }) === '', false, 'a schema refuses what is less')
})

function isRequired(of: { readonly $ref?: string; readonly required?: boolean }): boolean {
  const name = of.$ref?.split('/').at(-1) as keyof typeof components.headers | undefined
  return (name === undefined ? of.required : components.headers[name].required) ?? false
}

t.test('snapshots, events and receipts of a topic are as it says', async (t) => {
  const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const events = curl(['-N', gw.url('jobs?progress')])
  await events.waitFor('event: state')
  const subscriber = curl(['-N', gw.url('jobs?topic')])
  await eventually(() => gw.gateway.table.get('jobs')?.topic?.subscribers === 1 || 'it is not there')
  await curlDone(['-d', 'hello', gw.url('jobs?topic')])
  await events.waitFor(/event: progress\ndata: .*"messages":1/)
  const snapshot = async () => JSON.parse((await curlDone([gw.url('jobs?status')])).stdout.toString())
  t.equal(wrong(ref('Snapshot'), await snapshot()), '')
  subscriber.kill()
  await events.result
  const schemaOf = { state: ref('Snapshot'), progress: ref('Figures'), done: ref('Receipt') }
  const seen = [...events.stdoutText.matchAll(/^event: (\w+)\n(?:id: .*\n)?data: (.*)$/gm)]
  for (const [, event, data] of seen) {
    t.equal(wrong(schemaOf[event as keyof typeof schemaOf], JSON.parse(data!)), '', `${event}: ${data}`)
  }
  t.ok(seen.length >= 4)
  t.equal(wrong(ref('Snapshot'), await snapshot()), '')
})

for (const [what, ofReceiver, ofSender] of [
  ['a transfer', '', '?size=10'],
  ['a live stream', '?live', '?live'],
] as const) {
  t.test(`snapshots, events and receipts of ${what} are as it says`, async (t) => {
    const gw = await startGateway(t, {}, { plugins: await defaultPlugins() })
    const events = curl(['-N', gw.url('jobs?progress&history')])
    await events.waitFor('event: state')
    const receiver = curl(['-N', '-i', gw.url(`jobs${ofReceiver}`)])
    await gw.holds(1, 0)
    const snapshot = async () => {
      const value = JSON.parse((await curlDone([gw.url('jobs?status')])).stdout.toString())
      t.equal(wrong(ref('Snapshot'), value), '', value.state)
      return value
    }
    await snapshot()
    const { operation } = operations.find((each) => each.path === '/{name}' && each.method === 'GET')!
    const stream = responseOf(operation, 200)!
    const sender = curl(['-N', '-T', '-', gw.url(`jobs${ofSender}`)])
    await gw.holds(0, 1)
    sender.stdin.write('hello')
    await receiver.waitFor('hello')
    // The sender's id, and figures, are there now.
    await events.waitFor(/event: progress\ndata: .*"bytes":5/)
    await snapshot()
    // A latecomer to a stream is told how it went.
    await eventually(async () => {
      const late = curl(['-N', gw.url('jobs?progress&history')])
      await late.waitFor('event: state')
      const found = /event: history\ndata: (.*)/.exec(late.stdoutText)
      late.kill()
      if (found === null) return 'no history yet'
      t.equal(wrong(ref('History'), JSON.parse(found[1]!)), '')
      return true
    })
    sender.stdin.end('world')
    t.equal((await sender.result).code, 0)
    const [head = '', received] = (await receiver.result).stdout.toString().split('\r\n\r\n')
    t.equal(received, 'helloworld')
    const names = new Set(Object.keys(stream.headers).map((name) => name.toLowerCase()))
    const more = [...head.matchAll(/^([\w-]+):/gm)].map(([, name]) => name!.toLowerCase())
    t.same(
      more.filter((name) => !names.has(name) && !OF_HTTP.has(name)),
      [],
      'it has no other headers',
    )
    t.equal(more.includes('x-pipe-offset'), ofSender === '?live')
    await events.result
    const seen = new Set<string>()
    const schemaOf = { state: ref('Snapshot'), progress: ref('Figures'), done: ref('Receipt'), history: ref('History') }
    for (const [, event, data] of events.stdoutText.matchAll(/^event: (\w+)\n(?:id: .*\n)?data: (.*)$/gm)) {
      seen.add(event!)
      t.equal(wrong(schemaOf[event as keyof typeof schemaOf], JSON.parse(data!)), '', `${event}: ${data}`)
    }
    t.same([...seen].sort(), ['done', 'progress', 'state'])
    const { transferId } = await snapshot()
    const receipt = JSON.parse((await curlDone([gw.url(`jobs?status&transfer=${transferId}`)])).stdout.toString())
    t.equal(wrong(ref('Snapshot'), receipt), '')
  })
}
