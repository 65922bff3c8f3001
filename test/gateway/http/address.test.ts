/** Which paths mean the same pipe, and which mean none. */

import t from 'tap'
import { Refusal } from '../../../core/index.js'
import { type AddressRules, readAddress } from '../../../gateway/http/address.js'
import { FAILURES } from '../../../gateway/http/failures.js'
import { startGateway } from '../../support/gateway.js'
import { connect, type RawClient } from '../../support/raw.js'

const USUAL: AddressRules = { prefix: '/api/v1/pipe', bareNames: true }

/** The name, `reserved:` and the name with where it stood, or the code of the refusal. */
function read(path: string, rules = USUAL): string {
  const address = readAddress(path, rules)
  if (address instanceof Refusal) return address.failure.code
  if (address.kind === 'pipe') return `pipe ${address.name}`
  return `reserved ${address.underPrefix ? 'under' : 'bare'} ${address.name}`
}

/** What is wrong with the name in this path. */
function problem(path: string): string {
  const address = readAddress(path, USUAL)
  return address instanceof Refusal ? String(address.values.found) : 'nothing'
}

type Table = Readonly<Record<string, string>>

function check(
  t: { equal(found: unknown, wanted: unknown, message: string): unknown },
  table: Table,
  rules = USUAL,
): void {
  for (const [path, wanted] of Object.entries(table)) t.equal(read(path, rules), wanted, path)
}

t.test('a name is the same with and without the prefix, which is stripped once', async (t) => {
  check(t, {
    '/jobs': 'pipe jobs',
    '/api/v1/pipe/jobs': 'pipe jobs',
    '/logs/today': 'pipe logs/today',
    '/api/v1/pipe/logs/today': 'pipe logs/today',
    '/api/v1/pipe/api/v1/pipe/jobs': 'pipe api/v1/pipe/jobs',
    '/api/v1/pipe/api/v1/pipe': 'pipe api/v1/pipe',
    '/api/v1/piper/x': 'pipe api/v1/piper/x',
    '/api/v1/pipe.': 'pipe api/v1/pipe.',
    '/api/v1': 'pipe api/v1',
    '/API/v1/pipe/x': 'pipe API/v1/pipe/x',
    '/api/v1/%70ipe/x': 'pipe api/v1/%70ipe/x',
    '/x/api/v1/pipe/x': 'pipe x/api/v1/pipe/x',
  })
})

t.test('a name is compared as it is written, but for the hex digits of its escapes', async (t) => {
  const same = (...paths: string[]) => {
    for (const path of paths) t.equal(read(path), read(paths[0]!), `${path} = ${paths[0]}`)
    t.match(read(paths[0]!), /^pipe /)
  }
  const different = (...paths: string[]) =>
    t.equal(new Set(paths.map((path) => read(path))).size, paths.length, paths.join(' '))
  same('/caf%c3%a9', '/caf%C3%A9', '/caf%c3%A9', '/api/v1/pipe/caf%C3%a9', '/café')
  same('/%e2%82%ac', '/€', '/%E2%82%AC')
  same('/%f0%9f%98%80/x', '/😀/x')
  same('/caf%c3é', '/caf%C3%c3%a9')
  different('/A', '/%41', '/a')
  different('/x', '/x/', '/x//', '//x', '/x.', '/%78')
  different('/a%20b', '/a+b', '/a%2520b')
  // An escape that is none keeps its letters.
  different('/%zz', '/%ZZ', '/%c', '/%C')
  t.equal(read('/%c3%a9%zz%4'), 'pipe %C3%A9%zz%4', 'nothing but complete escapes is touched')
})

t.test('reserved names, in any letters and with one "/" or "." behind', async (t) => {
  const names = ['noscript', 'help', 'version', 'health', 'metrics', 'openapi.json', 'favicon.ico', 'robots.txt']
  for (const name of names) {
    for (const each of [
      name,
      name.toUpperCase(),
      `${name}/`,
      `${name}.`,
      `${name[0]!.toUpperCase()}${name.slice(1)}/`,
    ]) {
      check(t, { [`/${each}`]: `reserved bare ${name}`, [`/api/v1/pipe/${each}`]: `reserved under ${name}` })
    }
    const near = [`${name}//`, `${name}..`, `${name}/x`, `${name}x`, `x${name}`, `/${name}`, `${name}%2e`]
    for (const each of near) t.match(read(`/${each}`), /^pipe /, each)
  }
  check(t, {
    '/': 'reserved bare ',
    '//': 'reserved bare ',
    '/api/v1/pipe': 'reserved under ',
    '/api/v1/pipe/': 'reserved under ',
    '/api/v1/pipe//': 'reserved under ',
    '///': 'pipe //',
  })
})

t.test('"." is a forbidden segment and no alias of the empty name', async (t) => {
  for (const path of ['/.', '/./', '/api/v1/pipe/.', '/api/v1/pipe/./', '/help/.', '/..'])
    t.equal(read(path), 'BAD_NAME', path)
})

t.test('what a name must not contain, and how it is called', async (t) => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    'bytes that are not UTF-8': ['\ufffd', 'a\ufffdb', '%EF%BF%BD', '%ef%bf%bd'],
    'a control character': ['\x00', 'a\x01', 'a\tb', 'a\nb', 'a\rb', '\x1f', 'a\x7fb'],
    'a backslash': ['\\', 'a\\b'],
    'an escaped slash (%2F)': ['%2f', 'a%2Fb'],
    'an escaped backslash (%5C)': ['%5c', 'a%5Cb'],
    'an escaped control character': ['%00', '%0a', 'a%0Db', '%1f', '%1F', '%7f', '%7F'],
    'a "." or ".." segment': [
      '..',
      'a/..',
      '../a',
      'a/./b',
      '%2e',
      '%2e%2E',
      '.%2e/a',
      'a/%2e./b',
      'a/%2E/',
      'a//.',
      'a/../',
    ],
  }
  for (const [found, names] of Object.entries(wrong)) {
    for (const name of names) {
      for (const path of [`/${name}`, `/api/v1/pipe/${name}`]) t.equal(problem(path), found, JSON.stringify(path))
    }
  }
  for (const name of [
    '...',
    'a..',
    '..a',
    '.a',
    'a.b',
    '%2e%2e%2e',
    'a%2e',
    '%20',
    '%80',
    '%c2%80',
    '%252f',
    '~',
    '*',
  ]) {
    t.equal(problem(`/${name}`), 'nothing', name)
  }
})

t.test('1 to 1024 characters, as a URL has them', async (t) => {
  for (const before of ['/', '/api/v1/pipe/']) {
    t.match(read(`${before}${'x'.repeat(1024)}`), /^pipe x{1024}$/)
    t.equal(read(`${before}${'x'.repeat(1025)}`), 'NAME_TOO_LONG')
    t.equal(read(`${before}x`), 'pipe x')
    t.match(read(`${before}${'é'.repeat(170)}abcd`), /^pipe /, 'six characters for an é')
    t.equal(read(`${before}${'é'.repeat(170)}abcde`), 'NAME_TOO_LONG')
  }
  t.equal(problem(`/${'x'.repeat(2000)}`), '2000', 'the count is that of the name alone')
  t.equal(problem(`/${'../'.repeat(1000)}`), '3000', 'the length is said first')
})

t.test('with the prefix switched off, every path is a name and reserved names stand alone', async (t) => {
  const table = {
    '/x': 'pipe x',
    '/api/v1/pipe/x': 'pipe api/v1/pipe/x',
    '/api/v1/pipe': 'pipe api/v1/pipe',
    '/': 'reserved under ',
    '/health': 'reserved under health',
    '/.': 'BAD_NAME',
  }
  check(t, table, { prefix: '', bareNames: true })
  check(t, table, { prefix: '', bareNames: false })
})

t.test('with bare names switched off, only the prefix is answered', async (t) => {
  const rules = { prefix: '/api/v1/pipe', bareNames: false }
  const here = {
    '/api/v1/pipe/x': 'pipe x',
    '/api/v1/pipe': 'reserved under ',
    '/api/v1/pipe/help': 'reserved under help',
  }
  check(t, here, rules)
  for (const path of ['/x', '/', '/help', '/health', '/api/v1/piper/x', '/..', '/api/v1/PIPE/x']) {
    t.equal(read(path, rules), 'NOT_HERE', path)
  }
  const refusal = readAddress('/caf\xe9', rules)
  t.ok(refusal instanceof Refusal)
  t.match(refusal, { failure: FAILURES.notHere, values: { found: '/caf?', instead: '/api/v1/pipe/<name>' } })
})

t.test('another prefix takes the place of the usual one', async (t) => {
  check(
    t,
    {
      '/p/x': 'pipe x',
      '/x': 'pipe x',
      '/p/p/x': 'pipe p/x',
      '/p': 'reserved under ',
      '/px': 'pipe px',
      '/api/v1/pipe/x': 'pipe api/v1/pipe/x',
      '/p/health': 'reserved under health',
      '/health': 'reserved bare health',
    },
    { prefix: '/p', bareNames: true },
  )
})

async function request(port: number, line: string, body = ''): Promise<RawClient> {
  const client = await connect({ port })
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  await client.send(`${line} HTTP/1.1\r\nHost: pipe.test\r\n${length}\r\n${body}`)
  return client
}

/** A sender and a receiver of one gateway meet on these two paths. Latin-1: one character for each byte. */
async function meet(port: number, from: string, to: string): Promise<string> {
  const sending = await request(port, `PUT ${from}`, `via ${from}`)
  await sending.waitFor('Waiting for 1 receiver')
  const receiving = await request(port, `GET ${to}`)
  const { body } = await receiving.waitForResponse()
  await sending.waitFor('Transfer complete.')
  for (const client of [sending, receiving]) client.destroy()
  return body.toString('latin1')
}

t.test('over the wire: both forms and all spellings of a name meet', async (t) => {
  const gw = await startGateway(t)
  for (const [from, to] of [
    ['/api/v1/pipe/x', '/x'],
    ['/x', '/api/v1/pipe/x'],
    ['/caf\xc3\xa9', '/caf%c3%a9'],
    ['/api/v1/pipe/caf%C3%a9', '/caf\xc3\xa9'],
    ['/\xf0\x9f\x98\x80', '/%f0%9f%98%80?n=1'],
    ['/x/?n=1', '/api/v1/pipe/x/'],
  ] as const) {
    t.equal(await meet(gw.port, from, to), `via ${from}`, `${from} and ${to}`)
  }
})

t.test('over the wire: names that differ do not meet', async (t) => {
  const gw = await startGateway(t)
  const paths = ['/A', '/a', '/%41', '/A/', '//A', '/A.', '/api/v1/pipe/api/v1/pipe/A', '/caf\xe8\xa0\x80']
  const clients = await Promise.all(paths.map((path) => request(gw.port, `PUT ${path}`, 'x')))
  await gw.holds(paths.length, 0)
  for (const client of clients) client.destroy()
  await gw.holds(0, 0)
})

t.test('over the wire: a configured prefix, and none', async (t) => {
  const custom = await startGateway(t, { prefix: '/p' })
  t.equal(await meet(custom.port, '/p/x', '/x'), 'via /p/x')
  t.equal(await meet(custom.port, '/api/v1/pipe/x', '/p/api/v1/pipe/x'), 'via /api/v1/pipe/x')
  const none = await startGateway(t, { prefix: 'off' })
  t.equal(await meet(none.port, '/x', '/x'), 'via /x')
  const health = await request(none.port, 'GET /health')
  t.equal((await health.waitForResponse()).status, 200, 'health stands at the root when there is no prefix')
  health.destroy()
})
