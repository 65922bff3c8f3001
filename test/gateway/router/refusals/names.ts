/** Names that are reserved or malformed, and methods that an address does not take. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { startGateway } from '../../../support/gateway.js'
import { PROJECT } from '../../../support/project.js'
import { allRefused, answer, type Case, get, NAME_METHODS, open, put, RESERVED_METHODS, wire } from './rig.js'

const RESERVED = ['', 'noscript', 'help', 'version', 'health', 'metrics', 'openapi.json', 'favicon.ico', 'robots.txt']

/** `x`, `X`, `x/`, `X.` ... for one reserved name, bare and under the prefix. */
function aliases(name: string): string[] {
  const mixed = name.charAt(0).toUpperCase() + name.slice(1)
  const spellings = new Set([name, name.toUpperCase(), `${name}/`, `${name}.`, `${mixed}/`, `${mixed}.`])
  // "." alone is a forbidden segment.
  spellings.delete('.')
  const both = [...spellings].flatMap((each) => [`/${each}`, `/api/v1/pipe/${each}`])
  return name === '' ? [...both, '/api/v1/pipe'] : both
}

t.test('a reserved name takes no upload, however it is spelled', async (t) => {
  const gw = await startGateway(t)
  const cases = RESERVED.flatMap((name) => {
    const shown = (name === '' ? '/' : name).replace('.', '\\.')
    return aliases(name).flatMap((target): Case[] => [
      ...['PUT', 'POST'].map((method) => ({
        method,
        target,
        row: FAILURES.reservedName,
        says: new RegExp(`The name "${shown}" is reserved\\. Choose another name`),
      })),
      {
        method: 'DELETE',
        target,
        row: FAILURES.methodNotAllowed,
        says: /The method DELETE .* Use one of: GET, HEAD, OPTIONS\./,
        allow: RESERVED_METHODS,
      },
    ])
  })
  t.ok(cases.length > 250, `${cases.length} cases`)
  await allRefused(t, gw, cases)
})

t.test('bare health and metrics are 404 and name the right address', async (t) => {
  const gw = await startGateway(t)
  for (const name of ['health', 'metrics']) {
    const bare = aliases(name).filter((target) => !target.startsWith('/api'))
    await allRefused(
      t,
      gw,
      bare.map((target) => ({
        ...get(target),
        row: FAILURES.notHere,
        says: new RegExp(`Nothing answers at ${target.replace('.', '\\.')}\\. Try /api/v1/pipe/${name}\\.`),
      })),
    )
    const { response } = await answer(gw, { method: 'HEAD', target: `/${name}` })
    t.equal(response.status, 404, `HEAD /${name}`)
  }
  for (const name of ['health', 'Health', 'health/', 'HEALTH.']) {
    const { response } = await answer(gw, get(`/api/v1/pipe/${name}`))
    t.equal(response.status, 200, name)
    t.equal(response.headers['x-pipe-code'], undefined)
  }
})

t.test('version answers the version', async (t) => {
  const gw = await startGateway(t)
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
  for (const target of aliases('version')) {
    const { response } = await answer(gw, get(target))
    t.same([response.status, response.body.toString()], [200, `${version}\n`], target)
    t.same(response.headers['content-type'], ['text/plain; charset=utf-8'])
    const head = await answer(gw, { method: 'HEAD', target })
    t.same([head.response.status, head.response.headers['content-length']], [200, [`${version.length + 1}`]])
    t.equal(head.text.length, head.response.end)
  }
})

t.test('without bare names, only the prefix answers', async (t) => {
  const gw = await startGateway(t, { bareNames: 'false' })
  const says = /Nothing answers at \/[a-z?/]*\. Try \/api\/v1\/pipe\/<name>\./
  await allRefused(
    t,
    gw,
    ['/jobs', '/', '/health', '/api/v1/piper/x'].flatMap((target): Case[] => [
      {
        method: 'GET',
        target,
        row: FAILURES.notHere,
        says: target.includes('1') ? /Try \/api\/v1\/pipe\/<name>/ : says,
      },
      { method: 'PUT', target, row: FAILURES.notHere, says: /Try \/api\/v1\/pipe\/<name>/ },
    ]),
  )
})

const BAD_NAMES: readonly (readonly [found: RegExp, names: readonly string[]])[] = [
  [/bytes that are not UTF-8/, ['a\xff', 'a\xe9b', '%EF%BF%BD', 'a%ef%bf%bdb']],
  [/a backslash/, ['a\\b', '\\', '..\\a']],
  [/an escaped slash \(%2F\)/, ['a%2fb', 'a%2Fb', '..%2f..%2fetc', '%2F']],
  [/an escaped backslash \(%5C\)/, ['a%5cb', 'a%5Cb']],
  [/an escaped control character/, ['a%00', '%00', 'a%01b', 'a%0ab', 'a%0D%0Ab', 'a%1fb', 'a%1F', 'a%7fb', '%7F']],
  [
    /a "\." or "\.\." segment/,
    ['.', '..', './', '../', './a', '../a', 'a/.', 'a/..', 'a/./b', 'a/../b', 'a/../../b', 'a//../b'].concat(
      [
        '%2e',
        '%2E',
        '%2e%2e',
        '%2E%2e',
        '.%2e',
        '%2e.',
        '%2e/a',
        'a/%2E',
        'a/%2e%2E/b',
        'a/.%2e/b',
        'a/%2e./b',
        '%2e/',
      ],
      ['help/.', 'a/..//', '%2e%2E/'],
    ),
  ],
]

t.test('a name with something that two programs read differently is refused', async (t) => {
  const gw = await startGateway(t)
  const cases = BAD_NAMES.flatMap(([found, names]) =>
    names.flatMap((name) =>
      [`/${name}`, `/api/v1/pipe/${name}`].flatMap((target) =>
        ['GET', 'PUT'].map((method) => ({
          method,
          target,
          row: FAILURES.badName,
          says: new RegExp(`The name contains ${found.source}\\. Leave it out: `),
        })),
      ),
    ),
  )
  await allRefused(t, gw, cases)
})

t.test('a target that no URI can have is refused before it is a name', async (t) => {
  const gw = await startGateway(t)
  const cases = ['a\x01b', 'a\x7fb', '\x7f', '\x00'].map((name) => [name, 'CONTROL_CHARACTER'] as const)
  for (const [name, code] of [...cases, ['a#b', 'BAD_TARGET'] as const]) {
    for (const method of ['GET', 'PUT']) {
      const { response } = await answer(gw, { method, target: `/${name}` })
      t.equal(response.status, 400, name)
      t.equal(response.headers['x-pipe-code']?.[0], code)
    }
  }
})

t.test('names that only look like those are valid', async (t) => {
  const gw = await startGateway(t)
  const names = ['...', 'a..b', '.a', 'a.', '..a', 'a/.../b', '%2e%2e%2e', '.%2ea', 'a%2eb', 'caf%c3%a9', 'caf\xc3\xa9']
  for (const name of [...names, '%20', '%zz', 'a//b', 'a\'"<>b', 'healthy', 'help/me', 'help..', '%68elp']) {
    const { response } = await answer(gw, { method: 'OPTIONS', target: `/${name}` })
    t.same([response.status, response.headers.allow], [204, [NAME_METHODS]], name)
  }
})

t.test('a name has at most 1024 characters', async (t) => {
  const gw = await startGateway(t)
  const tooLong = [
    'x'.repeat(1025),
    `${'ab/'.repeat(500)}`,
    '%c3%a9'.repeat(171),
    '\xc3\xa9'.repeat(171),
    'x'.repeat(9000),
  ]
  await allRefused(
    t,
    gw,
    tooLong.flatMap((name) =>
      ['GET', 'PUT', 'DELETE', 'OPTIONS'].map((method) => ({
        method,
        target: `/api/v1/pipe/${name}`,
        row: FAILURES.nameTooLong,
        says: /The name has (1025|1500|1026|9000) characters\. Use 1 to 1024\./,
      })),
    ),
  )
  const longest = `${'x'.repeat(1018)}%c3%a9`
  const sending = await open(gw, put(`/${longest}`, 'all of it'))
  await sending.waitFor('Waiting for 1 receiver')
  const { response } = await answer(gw, get(`/api/v1/pipe/${longest}`))
  t.equal(response.body.toString(), 'all of it')
  await sending.waitFor('Transfer complete.')
  sending.destroy()
})

t.test('a name takes GET, POST, PUT and OPTIONS', async (t) => {
  const gw = await startGateway(t)
  const cases = ['DELETE', 'PATCH', 'PROPFIND', 'TRACE', 'get', 'Put', 'X'.repeat(60)].map((method) => ({
    method,
    target: '/jobs',
    row: FAILURES.methodNotAllowed,
    says: new RegExp(
      `The method ${method.slice(0, 60)}(\\.\\.\\.)? means nothing here\\. Use one of: ${NAME_METHODS}\\.`,
    ),
    allow: NAME_METHODS,
  }))
  await allRefused(t, gw, cases)

  const { response, text } = await answer(gw, { method: 'HEAD', target: '/jobs' })
  t.same([response.status, response.headers.allow], [405, [NAME_METHODS]])
  t.same(response.headers['x-pipe-code'], ['METHOD_NOT_ALLOWED'])
  t.equal(text.length, response.end, 'HEAD is answered without a body')
})

t.test('OPTIONS is 204 with Allow, without a body and its length, and the connection goes on', async (t) => {
  const gw = await startGateway(t)
  for (const [target, methods] of [
    ['/jobs', NAME_METHODS],
    ['/help', RESERVED_METHODS],
    ['/', RESERVED_METHODS],
  ] as const) {
    const client = await open(gw, { method: 'OPTIONS', target })
    const first = await client.waitForResponse()
    t.same([first.status, first.headers.allow], [204, [methods]])
    t.same(
      [first.headers['content-length'], first.headers['transfer-encoding'], first.framing],
      [undefined, undefined, 'none'],
    )
    await client.send(wire({ method: 'DELETE', target }))
    const second = await client.waitForResponse({ from: first.end })
    t.equal(second.status, 405, 'the second answer begins where the first one ends')
    await client.send(wire({ method: 'HEAD', target: '/health' }))
    const third = await client.waitForResponse({ from: first.end + second.end, head: true })
    t.equal(third.status, 404, 'a refusal of a request without a body keeps the connection')
    client.destroy()
  }
})

t.test('hosts that are not this gateway, and pages that are not its own', async (t) => {
  const gw = await startGateway(t, { hosts: 'pipe.test' })
  const forwarded = await startGateway(t, { hosts: 'pipe.test', trustedProxies: '127.0.0.1' })
  await allRefused(t, forwarded, [
    {
      ...get('/jobs'),
      headers: ['X-Forwarded-Host: evil.example'],
      row: FAILURES.unknownHost,
      says: /answer to the host "evil\.example"\. .*the setting hosts\./,
    },
  ])
  const says = /A page of another origin .* of https:\/\/evil\.example, .* cors\.origins/
  const headers = ['Origin: https://evil.example']
  await allRefused(t, gw, [
    { ...get('/jobs'), headers, row: FAILURES.crossSite, says },
    { ...put('/jobs', 'x', ...headers), row: FAILURES.crossSite, says },
  ])
})
