/** What receivers are told about a stream: types, file names and the fields that a sender hands on. */

import contentDisposition from 'content-disposition'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Refusal, type StreamHead } from '../../../core/index.js'
import type { RequestView } from '../../../gateway/http/request-view.js'
import type { HeaderList } from '../../../gateway/http/response/answer.js'
import type { DispositionOptions } from '../../../gateway/stream/disposition.js'
import { safeFileName } from '../../../gateway/stream/file-name.js'
import { safeMediaType } from '../../../gateway/stream/media-type.js'
import { receiverHeaders } from '../../../gateway/stream/receiver-headers.js'
import { streamHead } from '../../../gateway/stream/stream-head.js'
import { curl, curlDone } from '../../support/curl.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect, type RawClient, type RawResponse } from '../../support/raw.js'

type Fields = readonly (readonly [name: string, value: string])[]

/** A sender's request with these headers: names in lower case, as uWebSockets gives them. */
function request(fields: Fields): RequestView {
  return {
    method: 'PUT',
    path: '/x',
    query: '',
    remoteAddress: '127.0.0.1',
    header: (name) => fields.find(([each]) => each === name)?.[1] ?? '',
    eachHeader: (visit) => {
      for (const [name, value] of fields) visit(name, value)
    },
  }
}

function headOf(fields: Fields, length?: number): StreamHead {
  const head = streamHead(request(fields), length)
  if (head instanceof Refusal) throw new Error(head.text)
  return head
}

const AS_SENT: DispositionOptions = { download: undefined, filename: undefined }

function headersFor(fields: Fields, wish = AS_SENT): HeaderList {
  return receiverHeaders(headOf(fields), 'an-id', wish)
}

function valuesOf(headers: HeaderList, name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value)
}

/** The disposition for a sender's disposition and type. */
function disposition(given: string | undefined, type: string | undefined, wish = AS_SENT): string | undefined {
  const fields: [string, string][] = []
  if (type !== undefined) fields.push(['content-type', type])
  if (given !== undefined) fields.push(['content-disposition', given])
  return valuesOf(headersFor(fields, wish), 'Content-Disposition')[0]
}

function named(filename: string): string {
  return disposition(undefined, undefined, { download: undefined, filename }) ?? ''
}

/** Types that a browser runs, or that hold one that it would run. */
const RUNNABLE = [
  ...['text/html', 'application/xhtml+xml', 'application/xhtml', 'image/svg+xml', 'image/svg'],
  ...['text/xml', 'application/xml', 'text/xsl', 'application/xml-dtd', 'application/xml-external-parsed-entity'],
  ...['application/atom+xml', 'application/rss+xml', 'application/mathml+xml', 'model/x3d+xml', 'application/rdf+xml'],
  ...['text/javascript', 'application/javascript', 'application/x-javascript', 'text/x-javascript', 'text/ecmascript'],
  ...['application/ecmascript', 'application/x-ecmascript', 'text/x-ecmascript', 'text/jscript', 'text/livescript'],
  ...['text/javascript1.0', 'text/javascript1.1', 'text/javascript1.2', 'text/javascript1.3', 'text/javascript1.4'],
  ...['text/javascript1.5', 'text/vbscript', 'multipart/x-mixed-replace', 'multipart/related', 'message/rfc822'],
]
const HARMLESS = [
  ...['text/plain', 'text/csv', 'text/css', 'image/png', 'image/jpeg', 'audio/ogg', 'video/mp4', 'application/pdf'],
  ...['application/json', 'application/octet-stream', 'application/gzip', 'application/xml2', 'text/htmlx', 'x/y'],
  ...['application/ld+json', 'application/vnd.ms-excel', 'application/x-tar', 'application/x+xmlx', 'multipart/mixed'],
]

t.test('a type that a browser would run becomes text/plain', async (t) => {
  for (const type of RUNNABLE) {
    const mixed = type.replace(/[a-z]/g, (letter, at: number) => (at % 2 === 0 ? letter.toUpperCase() : letter))
    const spellings = [type, type.toUpperCase(), mixed, `${type};`, `${type} ; a=b`, `${type}\t`, `${type}; a="x;y"`]
    for (const each of spellings) t.equal(safeMediaType(each), 'text/plain', JSON.stringify(each))
    for (const each of [`${type}; charset=UTF-8`, `${type};charset="utf-8"`, `${type}; a=b; Charset=utf-8 ; c=d`]) {
      t.equal(safeMediaType(each), 'text/plain; charset=utf-8', each)
    }
  }
  for (const type of HARMLESS) {
    for (const each of [type, type.toUpperCase(), `${type}; charset=utf-8`, `${type}; a="text/html"`, `${type};a=b;`]) {
      t.equal(safeMediaType(each), each, each)
    }
  }
  t.equal(safeMediaType(undefined), undefined, 'no type given, none told')
})

t.test('of a charset, only one that means what it seems to mean is kept', async (t) => {
  for (const charset of [
    'iso-8859-1',
    'US-ASCII',
    'windows-1252',
    'Shift_JIS',
    'EUC-KR',
    'gb18030',
    'Big5',
    'koi8-r',
  ]) {
    t.equal(safeMediaType(`text/html; charset=${charset}`), `text/plain; charset=${charset.toLowerCase()}`)
  }
  for (const charset of [
    'utf-7',
    'utf-16',
    'utf-16le',
    'UTF-32',
    'iso-2022-jp',
    'hz-gb-2312',
    'x-user-defined',
    'utf-8x',
    '"utf-8 "',
  ]) {
    t.equal(safeMediaType(`text/html; charset=${charset}`), 'text/plain', charset)
  }
  t.equal(safeMediaType('text/html; xcharset=utf-8'), 'text/plain', 'the parameter has exactly this name')
})

t.test('what is no single media type is never handed on as it is', async (t) => {
  const wrong = [
    ...['text/plain, text/html', 'text/html, text/plain', 'text/plain;a=b,text/html', 'text/plain; a="b,c", text/html'],
    ...['text', '/', 'text/', '/html', 'text/html/x', 'text html', 'text /html', 'text/ html', ' text/html', '*', ';'],
    ...[
      'text/html\xa0',
      'text\x0b/html',
      'text/html; a',
      'text/html; a=',
      'text/html; =b',
      'text/html; a="b',
      'text/html x',
    ],
    ...[
      'text/html; a=b c',
      'text/html; a="b"c',
      'text/html; a=b"',
      '"text/html"',
      '<text/html>',
      'text/html\xe9',
      '\xff',
    ],
  ]
  for (const type of wrong) t.equal(safeMediaType(type), 'application/octet-stream', JSON.stringify(type))
})

t.test('a sender cannot hold the event loop with a crafted value', async (t) => {
  // Sized so that an exponential or a quadratic reader needs seconds, and still ends.
  const crafted: [name: string, run: () => unknown][] = [
    ['type', () => safeMediaType(`a/b${'; '.repeat(26)}"`)],
    ['type, long', () => safeMediaType(`text/html${' ;a=b\t; c="d" '.repeat(2000)}x`)],
    ['type, spaces', () => safeMediaType(`text/html;${' '.repeat(30_000)}charset`)],
    ['name, dots', () => safeFileName(`a${'.'.repeat(60_000)}b`)],
    ['name, slashes', () => safeFileName(`${'/'.repeat(60_000)}b`)],
    ['disposition', () => disposition(`inline${'; a="\\"'.repeat(4000)}`, 'text/plain')],
  ]
  for (const [name, run] of crafted) {
    const from = performance.now()
    run()
    const ms = performance.now() - from
    t.ok(ms < 300, `${name}: ${Math.round(ms)} ms`)
  }
})

t.test('inline stays inline only for what a browser shows and does not run', async (t) => {
  const shown = ['image/png', 'audio/mpeg', 'video/webm', 'text/plain', 'text/plain; charset=utf-8', 'application/pdf']
  for (const type of [...shown, 'IMAGE/GIF', 'Application/PDF;x=y', 'text/plain ;a=b']) {
    t.equal(disposition('inline', type), 'inline', type)
    t.equal(disposition('INLINE; filename="a b.txt"', type), 'inline; filename="a b.txt"', type)
  }
  // What a browser would run is told as text/plain, so it may be shown as that.
  for (const type of ['text/html', 'image/svg+xml']) t.equal(disposition('inline', type), 'inline', type)
  const not = [
    'application/zip',
    'text/csv',
    'text/plainx',
    'application/pdfx',
    'application/json',
    'text/css',
    'x/image/png',
  ]
  for (const type of [...not, 'text/plain, text/html', 'imagex/png', undefined]) {
    t.equal(disposition('inline', type), 'attachment', String(type))
    t.equal(disposition('inline; filename=a.txt', type), 'attachment; filename=a.txt', String(type))
  }
  for (const given of ['form-data; name=x', 'inlinex', 'inline x', '"inline"', '=', ';', 'x\xe9', '*;filename']) {
    t.match(disposition(given, 'image/png') ?? '', /^attachment(;|$)/, given)
  }
  t.equal(disposition('attachment; filename=a.txt', 'image/png'), 'attachment; filename=a.txt')
  t.equal(disposition(undefined, 'image/png'), undefined, 'none given, none told')
})

t.test('each receiver may wish for another disposition', async (t) => {
  const wish = (download: boolean | undefined, filename?: string): DispositionOptions => ({ download, filename })
  t.equal(disposition(undefined, 'image/png', wish(true)), 'attachment')
  t.equal(disposition('inline; filename=a', 'image/png', wish(true)), 'attachment; filename=a')
  t.equal(disposition('attachment; filename=a', 'image/png', wish(false)), undefined)
  t.equal(disposition('inline; filename=a', 'image/png', wish(undefined, 'b')), 'attachment; filename=b')
  t.equal(disposition(undefined, undefined, wish(true, 'b')), 'attachment; filename=b')
})

t.test('a file name is safe to save under', async (t) => {
  const table: Readonly<Record<string, string>> = {
    'a.txt': 'a.txt',
    '/etc/passwd': 'passwd',
    '../../x': 'x',
    'C:\\dir\\x.exe': 'x.exe',
    'a\\../b/c': 'c',
    'dir/': 'download',
    '': 'download',
    '.': 'download',
    '..': 'download',
    ' . . ': 'download',
    '.bashrc': 'bashrc',
    'x. . ': 'x',
    'a\r\nb\x00\x7f\x1b\x85': 'ab',
    'a\u202etxt.exe': 'atxt.exe',
    '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069': 'download',
    'a\ufffdb': 'ab',
    'a\ud800b\udc00c': 'abc',
    '\udc00\ud800': 'download',
    '😀': '😀',
    '😀x😀😀.txt': '😀x😀😀.txt',
    'a"b\'c;d=e': 'a"b\'c;d=e',
    'ü€.pdf': 'ü€.pdf',
    ['x'.repeat(255)]: 'x'.repeat(255),
    ['x'.repeat(256)]: 'x'.repeat(255),
    ['😀'.repeat(300)]: '😀'.repeat(255),
    [`${'x'.repeat(254)}😀y`]: `${'x'.repeat(254)}😀`,
    [`${'x'.repeat(254)}.y`]: 'x'.repeat(254),
    [`${'.'.repeat(300)}x`]: 'x',
  }
  for (const [name, wanted] of Object.entries(table))
    t.equal(safeFileName(name), wanted, JSON.stringify(name.slice(0, 40)))
})

t.test('a file name is written as RFC 6266 wants it', async (t) => {
  t.equal(named('a.txt'), 'attachment; filename=a.txt')
  t.equal(named('a b.txt'), 'attachment; filename="a b.txt"')
  t.equal(named('say "hi"; x=\\.txt'), 'attachment; filename=.txt'.replace('.txt', 'txt'), 'a backslash ends a folder')
  t.equal(named('say "hi"; x=1'), 'attachment; filename="say \\"hi\\"; x=1"')
  t.equal(named('ü.txt'), 'attachment; filename="?.txt"; filename*=UTF-8\'\'%C3%BC.txt')
  t.equal(named('😀.txt'), 'attachment; filename="??.txt"; filename*=UTF-8\'\'%F0%9F%98%80.txt')
  t.match(named('100%41.txt'), /filename\*=UTF-8''100%2541\.txt$/, 'an escape in a name is not taken for one')
  const given = 'attachment; filename="x.txt"; filename*=UTF-8\'\'%e2%82%ac%0d%0aX%3a%20y.txt'
  t.match(disposition(given, undefined), /filename\*=UTF-8''%E2%82%ACX%3A%20y\.txt$/, 'cleaned after it was decoded')
  t.equal(disposition('inline; filename="../../a\\"b.png"', 'image/png'), 'inline; filename="a\\"b.png"')
})

t.test('only X-Piping and X-Hoody-Pipe are handed on, all values in order', async (t) => {
  const headers = headersFor([
    ['x-piping', 'one'],
    ['cookie', 'secret'],
    ['x-hoody-pipe', 'h'],
    ['x-piping', 'two'],
    // Names that every object inherits.
    ['constructor', 'c'],
    ['__proto__', 'p'],
    ['hasownproperty', 'h'],
    ['x-piping', ''],
    ['set-cookie', 'a=b'],
    ['location', '/'],
    ['content-encoding', 'gzip'],
  ])
  const allowed = [
    ['X-Piping', 'one'],
    ['X-Hoody-Pipe', 'h'],
    ['X-Piping', 'two'],
    ['X-Piping', ''],
    ['Access-Control-Expose-Headers', 'X-Piping, X-Hoody-Pipe'],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Robots-Tag', 'none'],
    ['X-Pipe-Transfer-Id', 'an-id'],
    ['X-Hoody-Pipe-Transfer-Id', 'an-id'],
    ['Cache-Control', 'no-store'],
    ['X-Accel-Buffering', 'no'],
  ]
  t.same(headers, allowed)
  t.same(valuesOf(headersFor([['x-hoody-pipe', 'h']]), 'Access-Control-Expose-Headers'), ['X-Hoody-Pipe'])
  t.same(valuesOf(headersFor([]), 'Access-Control-Expose-Headers'), [], 'nothing to expose, nothing exposed')
  t.same(
    headersFor([]).map(([name]) => name),
    allowed.slice(5).map(([name]) => name),
    'nothing else when nothing is given',
  )
})

t.test('control characters never come through, Latin-1 does', async (t) => {
  const every = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')
  const kept = every.replace(/[\x00-\x1f\x7f]/g, '')
  t.equal(kept.length, 256 - 33)
  const headers = headersFor([
    ['x-piping', every],
    ['x-hoody-pipe', 'a\r\nSet-Cookie: b'],
  ])
  t.same(valuesOf(headers, 'X-Piping'), [kept])
  t.same(valuesOf(headers, 'X-Hoody-Pipe'), ['aSet-Cookie: b'])
  // One byte for each character: the last byte of these is a line feed, a carriage return and a NUL.
  const wide = headersFor([['x-piping', 'a\u010ab\u560dc\u0100d\ufffd']])
  t.same(valuesOf(wide, 'X-Piping'), ['abcd'])
  const [type] = valuesOf(headersFor([['content-type', 'text/ht\x00m\rl']]), 'Content-Type')
  t.equal(type, 'text/plain', 'cleaned before it is judged')
  t.same(valuesOf(headersFor([['content-type', '\x01']]), 'Content-Type'), [], 'a type of nothing is no type')
})

t.test('a forwarded value has at most 8192 bytes', async (t) => {
  for (const name of ['x-piping', 'x-hoody-pipe']) {
    t.equal(
      valuesOf(headersFor([[name, 'x'.repeat(8192)]]), name === 'x-piping' ? 'X-Piping' : 'X-Hoody-Pipe')[0]?.length,
      8192,
    )
    const refusal = streamHead(
      request([
        ['x-piping', 'ok'],
        [name, 'x'.repeat(8193)],
        [name, 'x'.repeat(9000)],
      ]),
      5,
    )
    t.match(refusal, { failure: { code: 'HEADER_TOO_LONG', status: 431 }, values: { found: 8193, expected: 8192 } })
  }
  t.equal(headOf([['x-other', 'x'.repeat(9000)]], 5).length, 5, 'the length goes with the head')
  t.equal(headOf([]).length, undefined)
})

const NASTY = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '"',
  '\\',
  '/',
  '..',
  '.',
  ' ',
  '%41',
  '%',
  ';',
  ',',
  '=',
  "'",
  '*',
  '\t',
  '\x7f',
  '\x85',
].concat([
  '\u202e',
  '\u061c',
  '😀',
  '\ud83d',
  '\ude00',
  'é',
  'ü',
  '€',
  '\ufffd',
  'filename*=',
  "UTF-8''",
  'a',
  'B',
  '7',
  'text/html',
])
const piece = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
)
const anyText = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
/** As a header arrives: one character for each byte. */
const anyBytes = anyText.map((text) => Buffer.from(text, 'utf8').toString('latin1'))
const anyType = fc.oneof(
  anyBytes,
  fc
    .tuple(
      fc.constantFrom(...RUNNABLE, ...HARMLESS),
      fc.array(
        fc.constantFrom(';', ' ', ',', '"', 'charset=utf-8', 'a=b', 'a="b"', '\t', '\r\n', 'text/html', '+xml'),
        { maxLength: 6 },
      ),
    )
    .map(([type, rest]) => type + rest.join('')),
)
const anyDisposition = fc.oneof(
  anyBytes,
  fc
    .tuple(fc.constantFrom('inline', 'attachment', 'INLINE'), anyText)
    .map(([kind, name]) => `${kind}; filename="${name.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`),
  fc
    .tuple(fc.constantFrom('inline', 'attachment'), anyText)
    .map(([kind, name]) => `${kind}; filename*=UTF-8''${encodeURIComponent(name.replace(/\p{Surrogate}/gu, ''))}`),
)

/** The same every time, so that a red run can be repeated; fast-check prints the seed and the counterexample. */
const RUNS = { seed: 20_261_120, numRuns: 4000, interruptAfterTimeLimit: 800, markInterruptAsFailure: false } as const

const NO_CONTROL = /^[^\x00-\x1f\x7f]*$/
const LATIN_1 = /^[\x00-\xff]*$/

/** What must hold of every file name that we tell, without asking safeFileName(). */
function isSafe(name: string): boolean {
  const forbidden = /[\x00-\x1f\x7f-\x9f/\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]|^[. ]|[. ]$/u.test(name)
  const lone = /\p{Surrogate}/u.test(name)
  return !forbidden && !lone && name !== '' && [...name].length <= 255
}

t.test('whatever is sent or wished, no header can be broken out of', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.record({
          type: anyType,
          given: anyDisposition,
          piping: fc.oneof(anyBytes, anyText),
          filename: fc.option(anyText, { nil: undefined }),
        }),
        ({ type, given, piping, filename }) => {
          const fields: Fields = [
            ['content-type', type],
            ['content-disposition', given],
            ['x-piping', piping],
          ]
          const headers = headersFor(fields, { download: undefined, filename })
          for (const [name, value] of headers) {
            if (!NO_CONTROL.test(value) || !LATIN_1.test(value)) throw new Error(`${name}: ${JSON.stringify(value)}`)
          }
          const [told = ''] = valuesOf(headers, 'Content-Disposition')
          if (!/^(attachment|inline)?(; |$)/.test(told)) throw new Error(`disposition ${told}`)
          const { parameters } = contentDisposition.parse(told)
          if (parameters.filename !== undefined && !isSafe(parameters.filename)) throw new Error(JSON.stringify(told))
        },
      ),
      RUNS,
    ),
  )
})

t.test('whatever name is wished, it comes back from what we write', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyText, (filename) => {
        const safe = safeFileName(filename)
        if (!isSafe(safe)) throw new Error(`unsafe: ${JSON.stringify(safe)}`)
        if (safeFileName(safe) !== safe) throw new Error(`not the same when done again: ${JSON.stringify(safe)}`)
        const told = named(filename)
        if (!/^attachment; [\x20-\x7e]+$/.test(told)) throw new Error(`not ASCII: ${JSON.stringify(told)}`)
        const { type, parameters } = contentDisposition.parse(told)
        if (type !== 'attachment' || parameters.filename !== safe) throw new Error(`${JSON.stringify(told)} of ${safe}`)
      }),
      RUNS,
    ),
  )
})

t.test('whatever type is sent, none that a browser would run is told', async (t) => {
  const runnable = new Set(RUNNABLE)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyType, (type) => {
        const [told = 'none/none'] = valuesOf(headersFor([['content-type', type]]), 'Content-Type')
        const essence = told.split(';')[0]!.trim().toLowerCase()
        if (runnable.has(essence) || essence.endsWith('+xml')) throw new Error(`${JSON.stringify(type)} became ${told}`)
        if (!/^[^\s/,;"]+\/[^\s/,;"]+$/.test(essence) || told.includes(',')) throw new Error(`no single type: ${told}`)
      }),
      RUNS,
    ),
  )
})

async function open(gw: Running, head: readonly string[], body = ''): Promise<RawClient> {
  const client = await connect({ port: gw.port })
  const [line, ...headers] = head
  await client.send(`${[`${line} HTTP/1.1`, 'Host: pipe.test', ...headers].join('\r\n')}\r\n\r\n${body}`)
  return client
}

interface Sent {
  readonly path: string
  readonly headers: readonly string[]
  /** Default: a Content-Length and three bytes. */
  readonly body?: string
}

/** One transfer to receivers with these queries; the responses of the receivers, and last that of the sender. */
async function transfer(
  gw: Running,
  { path, headers, body }: Sent,
  queries: readonly string[],
): Promise<RawResponse[]> {
  const framed = body === undefined ? [...headers, 'Content-Length: 3'] : headers
  const sending = await open(gw, [`PUT ${path}?n=${queries.length}`, ...framed], body ?? 'abc')
  await sending.waitFor('Waiting for')
  const receiving = await Promise.all(queries.map((query) => open(gw, [`GET ${path}?n=${queries.length}${query}`])))
  const responses = await Promise.all([...receiving, sending].map((client) => client.waitForResponse()))
  for (const client of [...receiving, sending]) client.destroy()
  return responses
}

function checkCommon(t: Test, received: RawResponse, sent: RawResponse): void {
  const { headers } = received
  t.equal(received.status, 200)
  t.same(headers['x-content-type-options'], ['nosniff'])
  t.same(headers['x-robots-tag'], ['none'])
  t.same(headers['cache-control'], ['no-store'])
  t.match(headers['x-pipe-transfer-id']?.[0], /^[A-Za-z0-9_-]{16,64}$/)
  for (const each of [headers['x-hoody-pipe-transfer-id'], sent.headers['x-pipe-transfer-id']]) {
    t.same(each, headers['x-pipe-transfer-id'], 'one id, on both sides and in both spellings')
  }
  t.same(sent.headers['x-hoody-pipe-transfer-id'], headers['x-pipe-transfer-id'])
}

t.test('over the wire: what is handed on arrives byte for byte', async (t) => {
  const gw = await startGateway(t)
  const latin = Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join('')
  const headers = [
    'Content-Type: image/png; x=1',
    'Content-Disposition: inline; filename="a.png"',
    // uWebSockets strips bytes of 0x80 and above from both ends of a value.
    `X-Piping: <${latin}>`,
    'x-piping: two',
    'X-HOODY-PIPE: caf\xc3\xa9!',
    'X-Piping:',
    'Cookie: secret=1',
    'constructor: x',
    '__proto__: x',
  ]
  const [received, sent] = await transfer(gw, { path: '/all', headers }, [''])
  checkCommon(t, received!, sent!)
  const told = received!.headers
  t.same(told['content-type'], ['image/png; x=1'])
  t.same(told['content-length'], ['3'])
  t.same(told['content-disposition'], ['inline; filename=a.png'])
  t.same(told['x-piping'], [`<${latin}>`, 'two', ''])
  t.same(told['x-hoody-pipe'], ['caf\xc3\xa9!'])
  t.same(told['access-control-expose-headers'], ['X-Piping, X-Hoody-Pipe'])
  t.same([told.cookie, told.constructor, told['set-cookie']], [undefined, undefined, undefined])
  t.equal(received!.body.toString(), 'abc')
})

t.test('over the wire: what is not known is not told', async (t) => {
  const gw = await startGateway(t)
  const chunked = { path: '/chunked', headers: ['Transfer-Encoding: chunked'], body: '3\r\nabc\r\n0\r\n\r\n' }
  const [received, sent] = await transfer(gw, chunked, [''])
  checkCommon(t, received!, sent!)
  const told = received!.headers
  for (const name of [
    'content-type',
    'content-length',
    'content-disposition',
    'x-piping',
    'access-control-expose-headers',
  ]) {
    t.equal(told[name], undefined, name)
  }
  t.same([received!.framing, received!.complete, received!.body.toString()], ['chunked', true, 'abc'])

  const empty = { path: '/empty', headers: ['Content-Length: 0'], body: '' }
  const [nothing] = await transfer(gw, empty, [''])
  t.same([nothing!.headers['content-length'], nothing!.complete], [['0'], true], 'nothing has a length too')
  const [hinted] = await transfer(gw, { ...chunked, headers: [...chunked.headers, 'X-Pipe-Size: 3'] }, ['&size=3'])
  t.equal(hinted!.headers['content-length'], undefined, 'a hint never shapes the response')
})

t.test('over the wire: a type that a browser would run never arrives', async (t) => {
  const gw = await startGateway(t)
  for (const [given, wanted] of [
    ['text/html; charset=UTF-8', 'text/plain; charset=utf-8'],
    ['IMAGE/SVG+XML', 'text/plain'],
    ['text/plain, text/html', 'application/octet-stream'],
    ['text/html\t', 'text/plain'],
    ['video/mp4; codecs="avc1"', 'video/mp4; codecs="avc1"'],
  ] as const) {
    const [received] = await transfer(gw, { path: '/type', headers: [`Content-Type: ${given}`] }, [''])
    t.same(received!.headers['content-type'], [wanted], given)
  }
  const twice = { path: '/type', headers: ['Content-Type: text/plain', 'Content-Type: text/html'] }
  const [received] = await transfer(gw, twice, [''])
  t.same(received!.headers['content-type'], ['text/plain'], 'one type is told, the first')
})

t.test('over the wire: receivers of one transfer have each their own disposition', async (t) => {
  const gw = await startGateway(t)
  const wishes: [query: string, wanted: string | undefined][] = [
    ['', 'inline; filename=pic.png'],
    ['&download', 'attachment; filename=pic.png'],
    ['&download=TRUE', 'attachment; filename=pic.png'],
    ['&download=0', undefined],
    ['&download=no', undefined],
    ['&filename=mine.png', 'attachment; filename=mine.png'],
    ['&filename=a+b%2Bc.png', 'attachment; filename="a b+c.png"'],
    [
      '&filename=caf%C3%A9%F0%9F%98%80.png',
      'attachment; filename="caf???.png"; filename*=UTF-8\'\'caf%C3%A9%F0%9F%98%80.png',
    ],
    ['&filename=..%2F..%2Fetc%2Fpasswd', 'attachment; filename=passwd'],
    ['&filename=%FF%FE', 'attachment; filename=download'],
  ]
  const headers = ['Content-Type: image/png', 'Content-Disposition: inline; filename=pic.png']
  const responses = await transfer(
    gw,
    { path: '/wishes', headers },
    wishes.map(([query]) => query),
  )
  const sent = responses.pop()!
  for (const [i, [query, wanted]] of wishes.entries()) {
    checkCommon(t, responses[i]!, sent)
    t.same(responses[i]!.headers['content-disposition'], wanted === undefined ? undefined : [wanted], query)
    t.equal(responses[i]!.body.toString(), 'abc')
  }
})

t.test('over the wire: nobody can write headers or a second response into one', async (t) => {
  const gw = await startGateway(t)
  const splits = [
    '%0d%0aSet-Cookie:%20a=b',
    '%0aX-Evil:1',
    '%0d%0a%0d%0aHTTP/1.1%20200%20OK%0d%0a%0d%0a',
    '%E5%98%8A%E5%98%8DX-Evil:1',
  ]
  const names = splits.flatMap((split) => [`x${split}`, `${split}x`, `"${split}`, `%22;${split}`])
  const clean = new Set([
    ...[
      'content-type',
      'content-disposition',
      'content-length',
      'x-content-type-options',
      'x-robots-tag',
      'cache-control',
    ],
    ...['x-pipe-transfer-id', 'x-hoody-pipe-transfer-id', 'x-accel-buffering', 'date'],
  ])
  const headers = [
    'Content-Type: text/plain',
    "Content-Disposition: inline; filename*=UTF-8''a%0d%0aX-Evil:%201%0d%0a%0d%0aevil.txt",
  ]
  const responses = await transfer(gw, { path: '/split', headers }, ['', ...names.map((name) => `&filename=${name}`)])
  responses.pop()
  for (const [i, response] of responses.entries()) {
    const told = Object.keys(response.headers)
    t.same(
      told.filter((name) => !clean.has(name)),
      [],
      names[i - 1] ?? 'the sender',
    )
    t.equal(response.headers['content-disposition']?.length, 1)
    t.equal(response.body.toString(), 'abc')
  }
})

t.test('over the wire: characters whose last byte is a line break do not become one', async (t) => {
  const gw = await startGateway(t)
  const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1')
  const evil = ['a\u010aX-Evil: 1', 'a\u010d\u010aX-Evil: 1', 'a\u560d\u560aX-Evil: 1'].map(utf8)
  const headers = evil.flatMap((value) => [
    `X-Piping: ${value}`,
    `X-Hoody-Pipe: ${value}`,
    `Content-Type: text/plain; a="${value}"`,
    `Content-Disposition: inline; filename="${value}"`,
  ])
  const [received] = await transfer(gw, { path: '/wide', headers }, [''])
  t.equal(received!.headers['x-evil'], undefined)
  t.same(received!.headers['x-piping'], evil, 'the bytes are handed on as they came')
  t.same(received!.headers['x-hoody-pipe'], evil)
})

t.test('over the wire: a bare CR or LF in a header does not become a header', async (t) => {
  const gw = await startGateway(t)
  for (const value of ['a\rX-Evil: 1', 'a\nX-Evil: 1', 'a\x01b', 'a\x00b', 'a\tb', 'a\x7fb']) {
    const sending = await open(gw, ['PUT /bare', `X-Piping: ${value}`, 'Content-Length: 3'], 'abc')
    // uWebSockets either refuses such a head, never answers it, or reads it as two headers; it may also pass the value.
    const probe = await open(gw, ['OPTIONS /bare'])
    await probe.waitForResponse()
    const receiving = await open(gw, ['GET /bare'])
    if (gw.gateway.table.get('bare')?.hasSender === true) {
      const { headers } = await receiving.waitForResponse()
      t.equal(headers['x-evil'], undefined, JSON.stringify(value))
      t.same(headers['x-piping'], [value.replace(/[\x00-\x1f\x7f]/g, '')])
    } else {
      t.equal(sending.text.includes('200 OK'), false, `${JSON.stringify(value)} is not accepted`)
    }
    for (const client of [probe, sending, receiving]) client.destroy()
    await gw.holds(0, 0)
  }
})

t.test('over the wire: 8192 bytes of a forwarded header arrive, 8193 are 431', async (t) => {
  const gw = await startGateway(t)
  const value = 'v'.repeat(8192)
  const [received] = await transfer(gw, { path: '/long', headers: [`X-Piping: ${value}`, `X-Piping: ${value}`] }, [''])
  t.same(received!.headers['x-piping'], [value, value])
  const refused = await open(gw, ['PUT /long', `X-Piping: ${value}v`, 'Content-Length: 3'], 'abc')
  t.equal((await refused.waitForResponse()).status, 431)
  refused.destroy()
})

t.test('curl saves under the name that the sender gave, and under the one that it asks for', async (t) => {
  const gw = await startGateway(t)
  const folder = t.testdir({})
  const headers = [
    '-H',
    'Content-Disposition: attachment; filename="../../from sender.txt"',
    '-H',
    'Content-Type: text/html',
  ]
  const sending = curl(['-T', '-', ...headers, gw.url('saved?n=2')], { input: 'saved' })
  await gw.holds(1, 0)
  const save = (query: string) =>
    curlDone([
      '-OJ',
      '--output-dir',
      folder,
      '-w',
      '%{filename_effective} %{content_type}',
      gw.url(`saved?n=2${query}`),
    ])
  const results = await Promise.all([save(''), save('&filename=mine.txt')])
  t.same(
    results.map(({ stdout }) => stdout.toString().replace(`${folder}/`, '')),
    ['from sender.txt text/plain', 'mine.txt text/plain'],
  )
  t.equal((await sending.result).code, 0)
})
