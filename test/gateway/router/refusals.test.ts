/** Every refusal there is, met over real connections: what it says, that it disturbs nobody, that uploaders see it. */

import { randomBytes } from 'node:crypto'
import { truncateSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import type { Failure } from '../../../core/index.js'
import { FAILURES } from '../../../gateway/http/failures.js'
import { type CurlOptions, curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect, parseResponse, type RawClient, type RawResponse } from '../../support/raw.js'

/** Codes that some request below has really been answered with. */
const reached = new Set<string>()

interface Ask {
  readonly method: string
  /** The request target as it goes out, one character for each byte. */
  readonly target: string
  readonly headers?: readonly string[]
  readonly body?: string
}

interface Case extends Ask {
  readonly row: Failure
  /** What was found and what to do about it, in this order. */
  readonly says: RegExp
  readonly allow?: string
}

function wire({ method, target, headers = [], body = '' }: Ask, ...more: string[]): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: pipe.test', ...headers, ...more].join('\r\n')}\r\n\r\n${body}`
}

/** `PUT` with these headers and a body of known length. */
function put(target: string, body: string, ...headers: string[]): Ask {
  return { method: 'PUT', target, headers: [...headers, `Content-Length: ${body.length}`], body }
}

function get(target: string): Ask {
  return { method: 'GET', target }
}

async function open(gw: Running, ask: Ask, ...more: string[]): Promise<RawClient> {
  const client = await connect({ port: gw.port })
  await client.send(wire(ask, ...more))
  return client
}

/** One request on a connection of its own, and its complete response. */
async function answer(gw: Running, ask: Ask, ...more: string[]): Promise<{ response: RawResponse; text: string }> {
  const client = await open(gw, ask, ...more)
  const response = await client.waitForResponse({ head: ask.method === 'HEAD' })
  client.destroy()
  return { response, text: client.text }
}

function nameOf(ask: Ask): string {
  return `${ask.method} ${ask.target.slice(0, 60)} ${(ask.headers ?? []).join(', ').slice(0, 60)}`.trimEnd()
}

/** The text when a pattern is not met, so that the difference shows it. */
function met(text: string | undefined, ...patterns: readonly RegExp[]): string {
  return patterns.every((pattern) => text !== undefined && pattern.test(text)) ? 'met' : `not met: ${text}`
}

/** What holds for every refusal as text. Returns the line. One assertion: there are thousands of these. */
function checkText(t: Test, name: string, response: RawResponse, wanted: Omit<Case, keyof Ask>): string {
  const { row, says, allow } = wanted
  const { headers } = response
  const line = response.body.toString('latin1')
  reached.add(headers['x-pipe-code']?.[0] ?? '')
  const noHole = /^(?!.*(\{\w+\}|undefined|NaN|\[object))/
  t.same(
    {
      ...commonOf(response),
      type: headers['content-type'],
      allow: headers.allow,
      line: met(line, /^\[ERROR\] [\x20-\x7e]+\n$/, noHole, says),
    },
    {
      ...commonFor(row),
      type: ['text/plain; charset=utf-8'],
      allow: allow === undefined ? undefined : [allow],
      line: 'met',
    },
    name,
  )
  return line
}

function commonOf(response: RawResponse): unknown[] {
  const { status, complete, framing, headers } = response
  const [again] = headers['retry-after'] ?? []
  return [
    ...[status, complete, framing, headers['x-pipe-code']],
    ...[headers['x-content-type-options'], headers['x-robots-tag'], headers['cache-control']],
    again === undefined ? 'coming back later would not help' : `come back: ${met(again, /^[1-9][0-9]*$/)}`,
  ]
}

function commonFor({ status, code }: Failure): unknown[] {
  const again = status === 429 || status === 503 ? 'come back: met' : 'coming back later would not help'
  return [status, true, 'length', [code], ['nosniff'], ['none'], ['no-store'], again]
}

function checkJson(t: Test, name: string, response: RawResponse, row: Failure, line: string): void {
  const text = response.body.toString('latin1')
  const message = line.slice('[ERROR] '.length, -1)
  t.same(
    {
      ...commonOf(response),
      type: response.headers['content-type'],
      lines: met(text, /^[^\n]+\n$/),
      body: parsed(text),
    },
    {
      ...commonFor(row),
      type: ['application/json'],
      lines: 'met',
      body: { error: { code: row.code, status: row.status, message } },
    },
    `${name}, as JSON`,
  )
}

/** undefined for what is no JSON, so that the comparison shows the difference. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Sends the request twice, for the text and for the JSON; a refusal changes nothing, so both say the same. */
async function refused(t: Test, gw: Running, each: Case): Promise<void> {
  const name = nameOf(each)
  const plain = await answer(gw, each)
  const line = checkText(t, name, plain.response, each)
  const json = await answer(gw, each, 'Accept: text/html, application/json;q=0.9')
  checkJson(t, name, json.response, each.row, line)
  t.match(plain.text + json.text, /^[\x00-\x7f]*$/, `${name}: every byte is ASCII`)
}

/** All at once: none of these leaves anything behind. */
async function allRefused(t: Test, gw: Running, cases: readonly Case[]): Promise<void> {
  await Promise.all(cases.map((each) => refused(t, gw, each)))
  t.equal(gw.gateway.table.waiting, 0, 'no refused request waits')
}

/** A value as it stands in a query, and how the line shows it. */
function parameter(name: string, values: readonly string[], expected: RegExp, asks: (query: string) => Ask[]): Case[] {
  return [...values.map((value) => `${name}=${value}`), name].flatMap((query) => {
    const shown = decodeURIComponent(query.slice(name.length + 1)).replace(/[^\x20-\x7e]/g, '?')
    const found = `The value of ${name} is "${shown}"`.replace(/[.+?]/g, '\\$&')
    const says = new RegExp(`${found}\\. It takes ${expected.source}\\.`)
    return asks(query).map((ask) => ({ ...ask, row: FAILURES.badParameter, says }))
  })
}

const NUMBERS = [
  '0',
  '257',
  '-1',
  '%2B1',
  '+1',
  '1.5',
  '2abc',
  '',
  '01',
  '1e1',
  '0x2',
  '%201',
  '1%0a',
  '%D9%A1',
  '%C3%A9',
  '1,2',
]
const bothSides = (query: string): Ask[] => [
  get(`/p?${query}`),
  put(`/p?${query}`, ''),
  { ...put(`/p?${query}`, ''), method: 'POST' },
]
const sender = (query: string): Ask[] => [put(`/p?${query}`, '')]
const receiver = (query: string): Ask[] => [get(`/p?${query}`)]

t.test('a parameter that is not what it must be is refused with what was found and what it takes', async (t) => {
  const gw = await startGateway(t)
  // "+1" is " 1" once decoded: the helper would show the plus.
  const plain = NUMBERS.filter((value) => value !== '+1')
  await allRefused(t, gw, [
    ...parameter('n', plain, /a whole number, 1 to 256/, bothSides),
    ...parameter('wait', ['0', '3601', '-5', '1.5', '10s', '', '007'], /a whole number, 1 to 3600/, bothSides),
    ...parameter('stall', ['0', '86401', '-1', '2.5', 'x', ''], /a whole number, 1 to 86400/, sender),
    ...parameter(
      'size',
      ['-1', '1.5', '9007199254740992', '9007199254740993', '1e9', ''],
      /a whole number, 0 to 9007199254740991/,
      sender,
    ),
    ...parameter('reply', ['END', 'now', '', 'end,stream'], /end or stream/, sender),
    ...parameter('filename', [''], /the name to save under/, receiver),
    ...parameter(
      'download',
      ['maybe', '2', 'off', '1%00', '%E2%82%AC'],
      /nothing, 1, true, yes, 0, false or no/,
      receiver,
    )
      // Bare is on.
      .filter(({ target }) => target !== '/p?download'),
    ...['-1', 'abc', '1.5', '9007199254740992', '12 34'].map((value) => ({
      ...put('/p', '', `X-Pipe-Size: ${value}`),
      row: FAILURES.badParameter,
      says: new RegExp(`The value of X-Pipe-Size is "${value}"\\. It takes a whole number, 0 to 9007199254740991\\.`),
    })),
    { ...get('/p?n=+1'), row: FAILURES.badParameter, says: /The value of n is " 1"\. It takes a whole number/ },
    { ...get('/p?n=0&n=2'), row: FAILURES.badParameter, says: /n is "0"/ },
    { ...get(`/p?n=${'9'.repeat(500)}`), row: FAILURES.badParameter, says: /n is "9{60}\.\.\."\. It takes/ },
    { ...put('/p?size=x', '', 'X-Pipe-Size: 5'), row: FAILURES.badParameter, says: /size is "x"/ },
  ])
})

t.test('limits of a parameter are allowed, the first value counts, what is unknown is ignored', async (t) => {
  const gw = await startGateway(t)
  const wanted: [Ask, number][] = [
    [get('/a?n=1'), 1],
    [get('/b?n=256&wait=3600'), 256],
    [get('/c?n=2&n=999&n=x'), 2],
    [get('/d?N=0&receivers=0&wait_=x&foo&=&stall=0&size=x&reply=x'), 1],
    [put('/e?n=3&wait=1&stall=86400&size=0&reply=end&download=x&filename=', ''), 3],
    [put('/f?size=9007199254740991', '', 'X-Pipe-Size: nonsense that ?size overrules'), 1],
    [put('/g?stall=1&reply=stream', '', 'X-Pipe-Size: 9007199254740991'), 1],
    [get('/h?download&filename=x'), 1],
    [get('/i?download=YES'), 1],
    [get('/j?download=False'), 1],
    [get('/k?'), 1],
  ]
  const clients = await Promise.all(wanted.map(([ask]) => open(gw, ask)))
  await gw.holds(wanted.length, 0)
  for (const [{ target }, receivers] of wanted) {
    t.equal(gw.gateway.table.get(target.slice(1, 2))?.receiversWanted, receivers, target)
  }
  for (const client of clients) client.destroy()
  for (const client of clients) await client.waitForClose()
})

const RESERVED = ['', 'noscript', 'help', 'health', 'metrics', 'openapi.json', 'favicon.ico', 'robots.txt']
const NAME_METHODS = 'GET, POST, PUT, OPTIONS'
const RESERVED_METHODS = 'GET, HEAD, OPTIONS'

/** `x`, `X`, `x/`, `X.` ... for one reserved name, bare and under the prefix. */
function aliases(name: string): string[] {
  const mixed = name.charAt(0).toUpperCase() + name.slice(1)
  const spellings = new Set([name, name.toUpperCase(), `${name}/`, `${name}.`, `${mixed}/`, `${mixed}.`])
  // "." alone is a forbidden segment.
  spellings.delete('.')
  const both = [...spellings].flatMap((each) => [`/${each}`, `/api/v1/pipe/${each}`])
  return name === '' ? [...both, '/api/v1/pipe'] : both
}

t.test('nobody can send to a reserved name, however it is spelled', async (t) => {
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
  // uWebSockets itself answers 505 to the control characters below the space.
  [/a control character/, ['a\x7fb', '\x7f']],
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

t.test('names that only look like those are names', async (t) => {
  const gw = await startGateway(t)
  const names = ['...', 'a..b', '.a', 'a.', '..a', 'a/.../b', '%2e%2e%2e', '.%2ea', 'a%2eb', 'caf%c3%a9', 'caf\xc3\xa9']
  for (const name of [...names, '%20', '%zz', 'a//b', 'a#b', 'a\'"<>b', 'healthy', 'help/me', 'help..', '%68elp']) {
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
  const cases = ['DELETE', 'PATCH', 'PROPFIND', 'TRACE', 'get', 'Put', 'X'.repeat(100)].map((method) => ({
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

t.test('a transfer id that is in use', async (t) => {
  const gw = await startGateway(t)
  const waiting = await open(gw, put('/a?transfer=0123456789abcdef', 'first'))
  await gw.holds(1, 0)
  const row = FAILURES.transferIdTaken
  const says = /The transfer id 0123456789abcdef is in use\. Choose another one, or none: then one is drawn\./
  const { response } = await answer(gw, put('/b?transfer=0123456789abcdef', 'x'))
  checkText(t, 'a second transfer with it', response, { row, says })
  waiting.destroy()
})

t.test('requests that cannot be a side of a pipe', async (t) => {
  const gw = await startGateway(t)
  const long = (name: string, bytes: number): Case => ({
    ...put('/p', '', 'X-Piping: short', `${name}: ${'v'.repeat(bytes)}`),
    row: FAILURES.headerTooLong,
    says: new RegExp(`The header ${name} has ${bytes} bytes\\. Keep each value within 8192\\.`),
  })
  await allRefused(t, gw, [
    ...['bytes 0-1/2', 'bytes */2', 'x'].flatMap((range) =>
      ['PUT', 'POST'].map((method) => ({
        ...put('/p', 'ab', `Content-Range: ${range}`),
        method,
        row: FAILURES.contentRange,
        says: /has a Content-Range, and a stream has no parts\. Send the whole body without it\./,
      })),
    ),
    ...['script', 'Script', ' SCRIPT '].flatMap((value) =>
      ['GET', 'PUT', 'POST'].map((method) => ({
        method,
        target: '/p',
        headers: [`Service-Worker: ${value}`],
        row: FAILURES.serviceWorker,
        says: /A service worker cannot be loaded from a pipe\. Serve it from a web server of your own\./,
      })),
    ),
    ...['Content-Length: 2', 'Transfer-Encoding: chunked'].map((framing) => ({
      method: 'GET',
      target: '/p',
      headers: [framing],
      row: FAILURES.bodyNotWanted,
      says: /This GET has a body, and who receives or watches has nothing to send\. Leave the body out, or send it with PUT or POST\./,
    })),
    ...['multipart/form-data', 'Multipart/Form-Data; charset=utf-8', 'multipart/form-data;boundary='].map((type) => ({
      ...put('/p', '--x--', `Content-Type: ${type}`),
      row: FAILURES.badBoundary,
      says: /The Content-Type of this form has no boundary\. Name the boundary between its parts: 1 to 70 characters, as/,
    })),
    ...['progress', 'progress=1', 'status', 'status=true', 'n=2&status'].map((query) => ({
      ...get(`/p?${query}`),
      row: FAILURES.notAvailable,
      says: new RegExp(`does not offer \\?${query.replace(/^n=2&|=.*/g, '')}\\. Leave it out\\.`),
    })),
    long('X-Piping', 8193),
    long('X-Hoody-Pipe', 8193),
    long('X-Piping', 20_000),
  ])
})

t.test('what is not offered can be switched off, and what is near a refusal is none', async (t) => {
  const gw = await startGateway(t)
  const pairs: [Ask, Ask][] = [
    [put('/a?sha256=0', 'a'), get('/a?progress=0&status=false&sha256=no')],
    [put('/b?sha256=No', 'b'), get('/b?progress=FALSE')],
    [put('/c?progress&status', 'c', 'Service-Worker: no', 'Content-Type: multipart/mixed'), get('/c?reply=x')],
    [put('/d', 'd', `X-Piping: ${'v'.repeat(8192)}`, `X-Hoody-Pipe: ${'v'.repeat(8192)}`), get('/d')],
    [
      put('/e', 'e'),
      { method: 'GET', target: '/e', headers: ['Content-Range: bytes 0-1/2', `X-Piping: ${'v'.repeat(9000)}`] },
    ],
  ]
  for (const [send, receive] of pairs) {
    const sending = await open(gw, send)
    const { response } = await answer(gw, receive)
    t.same([response.status, response.body.toString()], [200, send.body], nameOf(send))
    await sending.waitFor('Transfer complete.')
    sending.destroy()
  }
})

const BY_GATEWAY: readonly (readonly [headers: string, body: string, found: RegExp])[] = [
  ['Content-Length: 3\r\nContent-Length: 3', 'abc', /2 Content-Length headers/],
  ['Content-Length: 3\r\nContent-Length: 5', 'abc', /2 Content-Length headers/],
  ['Content-Length: 0\r\nContent-Length: 3', 'abc', /2 Content-Length headers/],
  ['Content-Length: 1\r\nX-A: b\r\ncontent-length: 1\r\nCONTENT-LENGTH: 1', 'a', /3 Content-Length headers/],
  ['Content-Length: ', '', /a Content-Length that is not plain digits/],
  ['Transfer-Encoding: gzip', '0\r\n\r\n', /a Transfer-Encoding other than chunked/],
  ['Transfer-Encoding: gzip, chunked', '0\r\n\r\n', /a Transfer-Encoding other than chunked/],
  ['Transfer-Encoding: identity', '0\r\n\r\n', /a Transfer-Encoding other than chunked/],
  ['Transfer-Encoding: xchunked', '0\r\n\r\n', /a Transfer-Encoding other than chunked/],
  ['Transfer-Encoding: ', '0\r\n\r\n', /a Transfer-Encoding other than chunked/],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n', /2 Transfer-Encoding headers/],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n', /2 Transfer-Encoding headers/],
]

/** uWebSockets answers these by itself, in words of its own, whether or not our handler has run. */
const BY_LIBRARY: readonly (readonly [headers: string, body: string])[] = [
  ['Content-Length: +3', 'abc'],
  ['Content-Length: -1', 'abc'],
  ['Content-Length: 3, 3', 'abc'],
  ['Content-Length: 0x3', 'abc'],
  ['Content-Length: 3 3', 'abc'],
  ['Content-Length: 9999999999999999999', 'abc'],
  ['Content-Length: 3\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
  ['Transfer-Encoding: chunked\r\nContent-Length: 3', '0\r\n\r\n'],
]

t.test('a body whose end is unclear is refused and the connection closes', async (t) => {
  const gw = await startGateway(t)
  const row = FAILURES.badFraming
  await Promise.all(
    BY_GATEWAY.flatMap(([headers, body, found]) =>
      ['PUT', 'POST', 'GET', 'DELETE'].map(async (method) => {
        const ask = { method, target: '/p', headers: [headers], body }
        const says = new RegExp(`This request has ${found.source}\\. Send one Content-Length .* and not both\\.`)
        const text = await open(gw, ask)
        const json = await open(gw, ask, 'Accept: application/json')
        const response = await text.waitForResponse()
        const line = checkText(t, nameOf(ask), response, { row, says })
        checkJson(t, nameOf(ask), await json.waitForResponse(), row, line)
        t.ok(response.headers.connection?.every((value) => value === 'close') ?? false, 'the client is told')
        for (const client of [text, json]) await client.waitForClose(3000)
        t.match(text.text, /^[\x00-\x7f]*$/)
      }),
    ),
  )
  await Promise.all(
    BY_LIBRARY.map(async ([headers, body]) => {
      const client = await open(gw, { method: 'PUT', target: '/p', headers: [headers], body })
      await client.waitForClose(3000)
      t.match(client.text, /^HTTP\/1\.1 400 Bad Request\r\n/, headers)
    }),
  )
  t.equal(gw.gateway.table.waiting, 0, 'none of them joined a pipe')
})

for (const [how, gap] of [
  ['in the same packet', false],
  ['later', true],
] as const) {
  t.test(`a request hidden behind such a body, ${how}, is neither answered nor joins a pipe`, async (t) => {
    const gw = await startGateway(t)
    const waiting = await open(gw, get('/victim'))
    await gw.holds(1, 0)
    const hidden = wire(put('/victim', 'stolen')) + wire({ method: 'OPTIONS', target: '/x' }) + wire(get('/stray'))
    const all = [...BY_GATEWAY.map(([headers, body]) => [headers, body] as const), ...BY_LIBRARY]
    await Promise.all(
      all.map(async ([headers, body]) => {
        const client = await connect({ port: gw.port })
        const first = wire({ method: 'PUT', target: '/p', headers: [headers], body })
        if (gap) {
          await client.send(first)
          await client.waitFor(/^HTTP\/1\.1 400/)
          await client.send(hidden)
        } else {
          await client.send(first + hidden)
        }
        const closed = await client.waitForClose(3000).then(
          () => true,
          () => false,
        )
        t.ok(closed, `${headers}: the connection closes`)
        t.ok(client.text.split('HTTP/1.1 ').length <= 2, `${headers}: at most one answer`)
        client.destroy()
      }),
    )
    t.equal(gw.gateway.table.get('stray'), undefined, 'no hidden receiver waits')
    t.equal(gw.gateway.table.get('victim')?.hasSender, false, 'no hidden sender came')
    t.equal(waiting.receivedBytes, 0, 'a receiver that waits got nothing of it')
    waiting.destroy()
    await waiting.waitForClose()
  })
}

t.test('maxReceivers bounds n, and the line says so', async (t) => {
  const gw = await startGateway(t, { maxReceivers: '3' })
  await allRefused(
    t,
    gw,
    parameter('n', ['4', '256'], /a whole number, 1 to 3/, bothSides).filter(({ target }) => target !== '/p?n'),
  )
  const client = await open(gw, get('/p?n=3'))
  await gw.holds(1, 0)
  client.destroy()
  await gw.holds(0, 0)
})

t.test('TOO_MANY_WAITING: a full house refuses new names, and lets those in for whom somebody waits', async (t) => {
  const gw = await startGateway(t, { maxWaiting: '2' })
  const one = await open(gw, get('/one'))
  const two = await open(gw, put('/two', 'second'))
  await gw.holds(2, 0)
  for (const ask of [get('/three'), put('/three', 'x'), put('/three', '')]) {
    await refused(t, gw, {
      ...ask,
      row: FAILURES.tooManyWaiting,
      says: /All 2 places for waiting pipes are taken\. Try again in a few seconds\./,
    })
  }
  const sent = await answer(gw, put('/one', 'first'))
  t.match(sent.response.body.toString(), /Transfer complete\.\n$/)
  t.equal((await one.waitForResponse()).body.toString(), 'first')
  t.equal((await answer(gw, get('/two'))).response.body.toString(), 'second')
  await two.waitFor('Transfer complete.')
  for (const client of [one, two]) client.destroy()
})

/** A transfer that streams until the test ends. */
async function endless(gw: Running, name: string): Promise<RawClient[]> {
  const sending = await open(gw, {
    method: 'PUT',
    target: `/${name}`,
    headers: ['Content-Length: 100'],
    body: 'started',
  })
  const receiving = await open(gw, get(`/${name}`))
  await receiving.waitFor('started')
  return [sending, receiving]
}

t.test('too many active transfers: the pair that would be one too many is told on both sides', async (t) => {
  const gw = await startGateway(t, { maxActive: '1' })
  const busy = await endless(gw, 'busy')
  const full = 'Server at maximum active transfer capacity.'

  for (const senderFirst of [true, false]) {
    const name = `late-${senderFirst}`
    const receiving: RawClient[] = []
    const sending = senderFirst ? await open(gw, put(`/${name}?n=2`, 'unsent')) : undefined
    receiving.push(await open(gw, get(`/${name}?n=2`)))
    await eventually(() => gw.gateway.table.get(name)?.receiversPresent === 1 || 'the first receiver is not there')
    receiving.push(await open(gw, get(`/${name}?n=2`), 'Accept: application/json'))
    await eventually(
      () => senderFirst || gw.gateway.table.get(name)?.receiversPresent === 2 || 'the second is not there',
    )
    const cut = sending ?? (await open(gw, put(`/${name}?n=2`, 'unsent')))

    const row: Failure = { code: 'TOO_MANY_ACTIVE', status: 429, message: '', hint: '' }
    const text = await receiving[0]!.waitForResponse()
    const line = checkText(t, name, text, { row, says: /^\[ERROR\] Server at maximum active transfer capacity\.\n$/ })
    checkJson(t, name, await receiving[1]!.waitForResponse(), row, line)
    await cut.waitForClose()
    t.match(cut.text, /^HTTP\/1\.1 200 OK\r\n/)
    t.equal(parseResponse(cut.received).complete, false, 'the sender is cut without a clean end')
    t.ok(cut.text.includes(`[ERROR] ${full}\n`), 'after its line')
    t.equal(await gw.ended(name), 'too_many_active')
    for (const client of [...receiving, cut]) client.destroy()
  }
  t.equal(gw.gateway.table.streaming, 1, 'the transfer that runs goes on')

  const waiting = curl(['-T', '-', gw.url('late-curl')], { input: 'unsent' })
  await gw.holds(1, 1)
  const receiving = await curlDone(['--fail', '-w', '%{http_code}', gw.url('late-curl')])
  t.same([receiving.code, receiving.stdout.toString()], [22, '429'])
  const result = await waiting.result
  t.ok(result.code !== 0, `a script sees the failure: exit ${result.code}`)
  t.ok(result.stdout.toString().endsWith(`[ERROR] ${full}\n`))

  const atEnd = await open(gw, put('/late-reply?reply=end', 'unsent'))
  await gw.holds(1, 1)
  const late = await answer(gw, get('/late-reply'))
  const reply = await atEnd.waitForResponse()
  t.same([late.response.status, reply.status, reply.headers['retry-after']], [429, 429, ['5']])
  for (const client of [...busy, atEnd]) client.destroy()
})

t.test('SHUTTING_DOWN: while a transfer drains, new work is refused on a kept connection', async (t) => {
  const gw = await startGateway(t)
  const running = await endless(gw, 'running')
  const kept = await Promise.all(
    ['', 'Accept: application/json', ''].map(() => open(gw, { method: 'OPTIONS', target: '/x' })),
  )
  const from = await Promise.all(kept.map(async (client) => (await client.waitForResponse()).end))
  const stopping = gw.gateway.stop(20_000)

  const says = /Server shutting down\. Try again in a few seconds\./
  const asks: [Ask, string][] = [
    [get('/new'), 'Accept: */*'],
    [get('/new'), 'Accept: application/json'],
    [put('/new', ''), 'A: b'],
  ]
  const answers = await Promise.all(
    asks.map(async ([ask, accept], i) => {
      await kept[i]!.send(wire(ask, accept))
      return kept[i]!.waitForResponse({ from: from[i]! })
    }),
  )
  const line = checkText(t, 'GET', answers[0]!, { row: FAILURES.shuttingDown, says })
  checkJson(t, 'GET', answers[1]!, FAILURES.shuttingDown, line)
  t.equal(checkText(t, 'PUT', answers[2]!, { row: FAILURES.shuttingDown, says }), line)
  const [sending, receiving] = running
  await sending!.send('.'.repeat(93))
  t.equal((await receiving!.waitForResponse()).body.length, 100, 'the transfer that ran is not disturbed')
  await sending!.waitFor('Transfer complete.')
  for (const client of [...running, ...kept]) client.destroy()
  await stopping
})

t.test('INTERNAL: a defect refuses that one request, is in the log, and takes nobody down', async (t) => {
  const gw = await startGateway(t)
  const { table } = gw.gateway
  const bystander = await open(gw, put('/bystander', 'unharmed'))
  await gw.holds(1, 0)
  for (const method of ['joinReceiver', 'joinSender'] as const) {
    Object.defineProperty(table, method, {
      configurable: true,
      value: () => {
        throw new Error('a planted defect')
      },
    })
    const ask = method === 'joinSender' ? put('/p', '') : get('/p')
    const { response } = await answer(gw, ask)
    const says = /The gateway failed on this request\. The gateway's log has the details under request [0-9]+\./
    const line = checkText(t, method, response, { row: FAILURES.internal, says })
    const id = Number(/request ([0-9]+)/.exec(line)?.[1])
    const logged = gw.lines.find((each) => each.level === 50 && each.id === id)
    t.match(logged, { msg: 'a request met a defect of the gateway', err: { message: 'a planted defect' } }, method)
    t.notMatch(line, /planted/, 'the details stay in the log')

    const json = await answer(gw, ask, 'Accept: application/json')
    checkJson(t, method, json.response, FAILURES.internal, line.replace(String(id), String(id + 1)))
    Reflect.deleteProperty(table, method)
  }
  t.equal((await answer(gw, get('/bystander'))).response.body.toString(), 'unharmed')
  await bystander.waitFor('Transfer complete.')
  bystander.destroy()
})

/** A refusal, and the pipe on the same name that must not notice. */
interface Disturbance {
  readonly name: string
  readonly refusals: readonly Case[]
}

const WAITING: readonly Disturbance[] = [
  {
    name: 'requests that do not fit',
    refusals: [
      { ...put('/d?n=2', 'no'), row: FAILURES.senderExists, says: /A sender already waits .* use another name\./ },
      {
        ...put('/d', 'no'),
        row: FAILURES.nMismatch,
        says: /says n=1, but .* waits for 2 receiver\(s\)\. Use \?n=2 on/,
      },
      {
        ...put('/d?n=3', 'no'),
        row: FAILURES.nMismatch,
        says: /says n=3, but .* waits for 2 receiver\(s\)\. Use \?n=2 on/,
      },
      { ...get('/d'), row: FAILURES.nMismatch, says: /says n=1, but .* waits for 2 receiver\(s\)\. Use \?n=2 on/ },
      { ...get('/d?n=256'), row: FAILURES.nMismatch, says: /says n=256, but .* waits for 2 receiver\(s\)\./ },
    ],
  },
  {
    name: 'requests that never fit',
    refusals: [
      { ...get('/d?n=0'), row: FAILURES.badParameter, says: /n is "0"/ },
      { ...get('/d?n=2&wait=x'), row: FAILURES.badParameter, says: /wait is "x"/ },
      { ...put('/d?n=2&reply=x', 'no'), row: FAILURES.badParameter, says: /reply is "x"/ },
      { ...get('/d?n=2&filename='), row: FAILURES.badParameter, says: /filename is ""/ },
      { ...get('/d?n=2&status'), row: FAILURES.notAvailable, says: /\?status/ },
      { ...put('/d?n=2', 'no', 'Content-Range: bytes 0-1/2'), row: FAILURES.contentRange, says: /Content-Range/ },
      { method: 'DELETE', target: '/d', row: FAILURES.methodNotAllowed, says: /DELETE/, allow: NAME_METHODS },
    ],
  },
]

const payload = randomBytes(300_000)

async function sendPayload(gw: Running): Promise<RawClient> {
  const client = await open(gw, { method: 'PUT', target: '/d?n=2', headers: [`Content-Length: ${payload.length}`] })
  void client.send(payload)
  await client.waitFor('Waiting for 2 receiver')
  return client
}

/** The pipe on /d completes, byte for byte. */
async function completes(t: Test, sending: RawClient, receiving: readonly RawClient[]): Promise<void> {
  for (const client of receiving) {
    const response = await client.waitForResponse()
    t.equal(response.status, 200)
    t.ok(response.body.equals(payload), 'a receiver has every byte')
  }
  const told = await sending.waitForResponse()
  t.match(told.body.toString(), /Transfer complete\.\n$/)
  t.notMatch(told.body.toString(), /ERROR|disconnected/, 'the sender heard nothing of the others')
  for (const client of [sending, ...receiving]) client.destroy()
}

for (const { name, refusals } of WAITING) {
  t.test(`undisturbed by ${name}: a sender that waits`, async (t) => {
    const gw = await startGateway(t)
    const sending = await sendPayload(gw)
    for (const each of refusals) await refused(t, gw, each)
    const first = await open(gw, get('/d?n=2'))
    await eventually(() => gw.gateway.table.get('d')?.receiversPresent === 1 || 'the receiver is not there')
    for (const each of refusals) await refused(t, gw, each)
    await completes(t, sending, [first, await open(gw, get('/d?n=2'))])
  })

  t.test(`undisturbed by ${name}: receivers that wait`, async (t) => {
    const gw = await startGateway(t)
    const receiving = [await open(gw, get('/d?n=2'))]
    await gw.holds(1, 0)
    // A second sender is only refused where a first one is.
    const here = refusals.filter(({ row }) => row !== FAILURES.senderExists)
    for (const each of here) await refused(t, gw, each)
    receiving.push(await open(gw, get('/d?n=2')))
    await eventually(() => gw.gateway.table.get('d')?.receiversPresent === 2 || 'the receivers are not there')
    for (const each of here) await refused(t, gw, each)
    const says = /All 2 receiver\(s\) of this name are already here\. Raise n on every side/
    await refused(t, gw, { ...get('/d?n=2'), row: FAILURES.receiversFull, says })
    t.equal(gw.gateway.table.get('d')?.receiversPresent, 2)
    await completes(t, await sendPayloadNow(gw), receiving)
  })
}

async function sendPayloadNow(gw: Running): Promise<RawClient> {
  const client = await open(gw, { method: 'PUT', target: '/d?n=2', headers: [`Content-Length: ${payload.length}`] })
  await client.send(payload)
  return client
}

t.test('undisturbed: a transfer that runs', async (t) => {
  const gw = await startGateway(t)
  const sending = await open(gw, { method: 'PUT', target: '/d?n=2', headers: [`Content-Length: ${payload.length}`] })
  await sending.send(payload.subarray(0, 1000))
  const receiving = [await open(gw, get('/d?n=2')), await open(gw, get('/d?n=2'))]
  for (const client of receiving) await eventually(() => client.receivedBytes > 1000 || 'the stream has not begun')
  const says = /A transfer is already running on this name\. Wait until it has ended, or use another name\./
  for (const ask of [get('/d?n=2'), get('/d'), get('/d?n=3'), put('/d?n=2', 'no'), put('/d', 'no'), put('/d', '')]) {
    await refused(t, gw, { ...ask, row: FAILURES.pipeBusy, says })
  }
  for (const each of WAITING[1]!.refusals) await refused(t, gw, each)
  await sending.send(payload.subarray(1000))
  await completes(t, sending, receiving)
})

/** Never ends by itself. */
function endlessInput(): Readable {
  const block = Buffer.alloc(64 * 1024, 'x')
  return new Readable({
    highWaterMark: 1024 * 1024,
    read() {
      this.push(block)
    },
  })
}

const FILE_BYTES = 100_000_000
/** What may be under way before curl has read its answer: the kernel's buffers, and a little. */
const FEW_BYTES = 16_000_000

t.test('an uploading curl sees the refusal at once and stops', async (t) => {
  const gw = await startGateway(t)
  const big = `${t.testdir({})}/big`
  writeFileSync(big, '')
  truncateSync(big, FILE_BYTES)
  const waiting = await open(gw, get('/taken?n=3'))
  await gw.holds(1, 0)
  const refusals: [address: string, headers: string[], status: number, code: string][] = [
    ['p?n=0', [], 400, 'BAD_PARAMETER'],
    ['taken?n=2', [], 400, 'N_MISMATCH'],
    ['help', [], 400, 'RESERVED_NAME'],
    [`${'x'.repeat(1025)}`, [], 414, 'NAME_TOO_LONG'],
    ['p', ['-H', 'Content-Range: bytes 0-1/2'], 400, 'CONTENT_RANGE'],
  ]
  const uploads: [source: string, input: () => CurlOptions][] = [
    ['-', () => ({ input: endlessInput() })],
    [big, () => ({})],
  ]
  const runs = refusals.flatMap(([address, headers, status, code], i) =>
    uploads.flatMap(([source, input]) =>
      // Without Expect, curl begins to upload before it can know.
      [[], ['-H', 'Expect:']].map(async (expect, j) => {
        const fails = (i + j) % 2 === 0
        const report = '\n%{http_code} %{size_upload} %header{x-pipe-code}'
        const more = fails ? ['--fail'] : []
        const args = ['-T', source, ...expect, ...headers, ...more, '-m', '9', '-w', report, gw.url(address)]
        const name = `${code} ${source === '-' ? 'endless' : 'file'} ${expect.join('')} ${more.join('')}`
        const result = await curlDone(args, input())
        const [line, , numbers] = fails ? ['', '', lastLine(result.stdout)] : result.stdout.toString().split('\n')
        const [seen, uploaded, codeSeen] = (numbers ?? '').split(' ')
        t.equal(result.code, fails ? 22 : 0, `${name}: exit code ${result.stderr}`)
        t.same([seen, codeSeen], [String(status), code], `${name}: status and code`)
        if (!fails) t.match(line, /^\[ERROR\] /, `${name}: the line`)
        t.ok(Number(uploaded) < FEW_BYTES, `${name}: uploaded only ${uploaded}`)
      }),
    ),
  )
  await Promise.all(runs)
  t.equal(gw.gateway.table.waiting, 1)
  waiting.destroy()
  await waiting.waitForClose()
})

function lastLine(output: Buffer): string {
  return output.toString().split('\n').at(-1)!
}

t.test('a client that reads only when it has written everything gets the whole answer', async (t) => {
  const gw = await startGateway(t)
  const waiting = await open(gw, put('/taken', 'first'))
  await gw.holds(1, 0)
  const body = 'y'.repeat(8_000_000)
  const chunk = 'z'.repeat(500_000)
  const chunked = `${`${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(16)}0\r\n\r\n`
  const bodies: [string, string][] = [
    [`Content-Length: ${body.length}`, body],
    ['Transfer-Encoding: chunked', chunked],
  ]
  const asks: [Ask, Failure][] = [
    [{ method: 'PUT', target: '/p?wait=x' }, FAILURES.badParameter],
    [{ method: 'POST', target: '/taken' }, FAILURES.senderExists],
    [{ method: 'PUT', target: '/a/../b' }, FAILURES.badName],
    [{ method: 'GET', target: '/p?n=0' }, FAILURES.badParameter],
  ]
  for (const [ask, row] of asks) {
    for (const [framing, sent] of bodies) {
      const client = await connect({ port: gw.port, pauseOnConnect: true })
      await client.send(wire({ ...ask, headers: [framing], body: sent }))
      t.equal(client.errorCode, undefined, 'the whole body could be written')
      t.equal(client.receivedBytes, 0, 'nothing was read before')
      client.resume()
      const response = await client.waitForResponse()
      checkText(t, `${nameOf(ask)} ${framing}`, response, { row, says: /./ })
      t.same(response.headers.connection, ['close'], 'the client is asked to close')
      client.destroy()
    }
  }
  t.equal((await answer(gw, get('/taken'))).response.body.toString(), 'first')
  await waiting.waitFor('Transfer complete.')
  waiting.destroy()
})

t.test('every row of the catalogue was reached, and is fit to be shown', async (t) => {
  // test/gateway/host reaches these, and test/gateway/serve/redirect.test.ts the last one.
  const elsewhere: Failure[] = [FAILURES.pluginFault, FAILURES.admitTimeout, FAILURES.tooLarge, FAILURES.badHost]
  const rows: Failure[] = Object.values(FAILURES).filter((row: Failure) => !elsewhere.includes(row))
  t.equal(new Set(rows.map(({ code }) => code)).size, rows.length, 'codes are unique')
  for (const { code, status, message, hint } of rows) {
    t.ok(reached.has(code), `${code} was reached`)
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    t.ok(status >= 400 && status < 600, `${code}: ${status} is a refusal`)
    t.match(message, /^[\x20-\x7e]+\.$/, `${code}: a sentence`)
    t.match(hint, /^([\x20-\x7e]+\.|\{instead\})$/, `${code}: what to do`)
  }
})
