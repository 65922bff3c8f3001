/** Over the wire: the headers that receivers get. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Test } from 'tap'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect, type RawClient, type RawResponse } from '../../support/raw.js'

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

t.test('over the wire: forwarded fields arrive byte for byte', async (t) => {
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

t.test('over the wire: headers without a value are left out', async (t) => {
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

t.test('over the wire: how the sender has encoded the content is handed on', async (t) => {
  const gw = await startGateway(t)
  const encodings = async (...headers: string[]) => {
    const [received] = await transfer(gw, { path: '/encoded', headers }, [''])
    t.equal(received!.body.toString(), 'abc')
    return received!.headers['content-encoding']
  }
  t.same(await encodings('Content-Encoding: gzip'), ['gzip'])
  t.same(await encodings('content-encoding: deflate, br'), ['deflate, br'])
  t.same(await encodings('Content-Encoding: gzip', 'Content-Encoding: br'), ['gzip, br'], 'each line adds one')
  t.same(await encodings('Content-Encoding: g\tzip\xe9'), ['gzip\xe9'], 'cleaned as other values are')
  t.same(await encodings('Content-Encoding:'), undefined)
  t.same(await encodings(), undefined)
  const form = '--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nabc\r\n--b--\r\n'
  const headers = [
    'Content-Type: multipart/form-data; boundary=b',
    'Content-Encoding: gzip',
    `Content-Length: ${form.length}`,
  ]
  const [ofForm] = await transfer(gw, { path: '/form', headers, body: form }, [''])
  t.same([ofForm!.headers['content-encoding'], ofForm!.body.toString()], [undefined, 'abc'], 'not for a form')

  const folder = t.testdir({ 'plain.txt': 'some text\n'.repeat(1000) })
  const zipped = gzipSync(readFileSync(join(folder, 'plain.txt')))
  const receiving = curl(['--compressed', gw.url('zip')])
  await gw.holds(1, 0)
  await curlDone(['-H', 'Content-Encoding: gzip', '-T', '-', gw.url('zip')], { input: zipped })
  t.equal((await receiving.result).stdout.toString(), 'some text\n'.repeat(1000), 'curl knows what it gets')
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

t.test('over the wire: each receiver of a transfer has its own disposition', async (t) => {
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
    ...['x-pipe-transfer-id', 'x-hoody-pipe-transfer-id', 'x-accel-buffering', 'accept-ranges', 'date'],
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

t.test('over the wire: a control character in a header is refused, and a tab is left out', async (t) => {
  const gw = await startGateway(t)
  for (const value of ['a\rX-Evil: 1', 'a\nX-Evil: 1', 'a\x01b', 'a\x00b', 'a\x7fb']) {
    const sending = await open(gw, ['PUT /bare', `X-Piping: ${value}`, 'Content-Length: 3'], 'abc')
    const { status, body } = await sending.waitForResponse()
    t.equal(status, 400, JSON.stringify(value))
    t.match(body.toString(), /^\[ERROR\] .*(control character|carriage return|line feed)/)
    t.equal(gw.gateway.table.get('bare'), undefined)
    sending.destroy()
  }
  const [received] = await transfer(gw, { path: '/tab', headers: ['X-Piping: a\tb'] }, [''])
  t.same(received!.headers['x-piping'], ['ab'])
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
