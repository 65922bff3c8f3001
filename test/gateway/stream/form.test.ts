/** `multipart/form-data`: which part is the stream, what its receivers are told, and that a broken form never looks whole. */
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { definePlugin, PLUGIN_API, type Plugin, z } from '../../../gateway/host/plugin-api.js'
import { makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect, parseResponse, type RawClient } from '../../support/raw.js'

const MIB = 1024 * 1024
const BOUNDARY = 'a-boundary'
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`

interface Part {
  readonly disposition: string
  readonly type?: string
  readonly body: string
}

const file = (body: string, filename = 'f.bin'): Part => ({
  disposition: `form-data; name="file"; filename="${filename}"`,
  type: 'application/octet-stream',
  body,
})
const field = (name: string, body: string): Part => ({ disposition: `form-data; name="${name}"`, body })

function form(...parts: readonly Part[]): string {
  const all = parts.map(({ disposition, type, body }) => {
    const fields = [`Content-Disposition: ${disposition}`, ...(type === undefined ? [] : [`Content-Type: ${type}`])]
    return `--${BOUNDARY}\r\n${fields.join('\r\n')}\r\n\r\n${body}\r\n`
  })
  return `${all.join('')}--${BOUNDARY}--\r\n`
}

/** Sends a head, and as much of a body as there is. */
async function post(gateway: Running, target: string, body: string, more = `Content-Length: ${body.length}`) {
  const client = await connect({ port: gateway.port })
  await client.send(`POST /${target} HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\n${more}\r\n\r\n${body}`)
  return client
}

async function get(gateway: Running, target: string): Promise<RawClient> {
  const client = await connect({ port: gateway.port })
  await client.send(`GET /${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return client
}

/** What a receiver gets of a form that is sent raw, whoever comes first. */
async function relayed(t: Test, gateway: Running, body: string, senderFirst: boolean) {
  const name = `r${randomBytes(6).toString('hex')}`
  let receiver: RawClient | undefined
  if (!senderFirst) {
    receiver = await get(gateway, name)
    await gateway.holds(1, 0)
  }
  const sender = await post(gateway, name, body)
  if (senderFirst) {
    await sender.waitFor('Waiting for')
    receiver = await get(gateway, name)
  }
  t.teardown(() => {
    sender.destroy()
    receiver!.destroy()
  })
  const response = await receiver!.waitForResponse()
  await sender.waitFor('Transfer complete.')
  return response
}

t.test('curl -F: a file, a text, both in either order', async (t) => {
  const gateway = await startGateway(t)
  const bytes = randomBytes(3 * MIB + 17)
  const dir = t.testdir({ 'a b.txt': 'spaces', 'q"uote.txt': 'quotes', 'ünïcøde €.txt': 'unicode', empty: '' })
  writeFileSync(join(dir, 'big.bin'), bytes)
  const send = async (name: string, args: readonly string[]) => {
    const receiver = curl(['-i', '--raw', '-o', '-', gateway.url(name)])
    await gateway.holds(1, 0)
    const sent = await curlDone([...args, gateway.url(name)])
    t.match(sent, { code: 0, stderr: '' }, `${args}`)
    t.match(sent.stdout.toString(), /Upload complete\.\n\[INFO\] Transfer complete\.\n$/)
    return parseResponse((await receiver.result).stdout)
  }
  const cases: readonly (readonly [
    args: string[],
    type: string | undefined,
    disposition: string | undefined,
    body: Uint8Array | string,
  ])[] = [
    [['-F', `file=@${dir}/big.bin`], 'application/octet-stream', 'attachment; filename=big.bin', bytes],
    [['-F', `file=@${dir}/a b.txt`], 'text/plain', 'attachment; filename="a b.txt"', 'spaces'],
    [['-F', `file=@${dir}/empty;type=image/png`], 'image/png', 'attachment; filename=empty', ''],
    [['-F', `file=@"${dir}/q\\"uote.txt"`], 'text/plain', 'attachment; filename="q\\"uote.txt"', 'quotes'],
    [
      ['-F', `file=@${dir}/ünïcøde €.txt`],
      'text/plain',
      `attachment; filename="?n?c?de ?.txt"; filename*=UTF-8''%C3%BCn%C3%AFc%C3%B8de%20%E2%82%AC.txt`,
      'unicode',
    ],
    [['-F', `file=@${dir}/a b.txt;filename=../../etc/passwd`], 'text/plain', 'attachment; filename=passwd', 'spaces'],
    [['-F', `file=@${dir}/a b.txt;type=text/html`], 'text/plain', 'attachment; filename="a b.txt"', 'spaces'],
    [['-F', 'input_text=héllo wörld'], 'text/plain; charset=utf-8', undefined, 'héllo wörld'],
    [['-F', 'input_text='], 'text/plain; charset=utf-8', undefined, ''],
    [['-F', 'anything=text'], 'text/plain; charset=utf-8', 'form-data; name="anything"', 'text'],
    [['-F', 'anything='], 'text/plain; charset=utf-8', 'form-data; name="anything"', ''],
    [['-F', 'data=a,b;type=text/csv'], 'text/csv', 'form-data; name="data"', 'a,b'],
    [['-F', 'page=a<b>;type=text/html'], 'text/plain', 'form-data; name="page"', 'a<b>'],
    [['-F', 'first=1', '-F', 'second=2'], 'text/plain; charset=utf-8', 'form-data; name="first"', '1'],
    [['-F', 'first=1;type=a/b', '-F', 'input_text=2'], 'text/plain; charset=utf-8', undefined, '2'],
    [['-F', 'input_text=2', '-F', 'first=1', '-F', 'input_text=3'], 'text/plain; charset=utf-8', undefined, '2'],
    [['-F', `x=@${dir}/a b.txt;filename=C:\\new folder\\q.txt`], 'text/plain', 'attachment; filename=q.txt', 'spaces'],
    [['-F', 'input_text=text', '-F', `file=@${dir}/a b.txt`], 'text/plain', 'attachment; filename="a b.txt"', 'spaces'],
    [['-F', `file=@${dir}/a b.txt`, '-F', 'input_text=text'], 'text/plain', 'attachment; filename="a b.txt"', 'spaces'],
    [
      ['-F', 'other=1', '-F', `one=@${dir}/a b.txt`, '-F', `two=@${dir}/big.bin`],
      'text/plain',
      'attachment; filename="a b.txt"',
      'spaces',
    ],
  ]
  for (const [i, [args, type, disposition, body]] of cases.entries()) {
    for (const framing of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      const { headers, ...response } = await send(`${i}-${framing.length}`, [...args, ...framing])
      const [length] = headers['content-length'] ?? []
      t.same(
        [response.status, headers['content-type']?.[0], headers['content-disposition']?.[0], length],
        [200, type, disposition, body.length === 0 ? '0' : undefined],
        `${args}`,
      )
      t.equal(Buffer.compare(response.body, Buffer.from(body)), 0, 'the bytes')
    }
  }
})

t.test('FormData of fetch, with ?reply=end and a digest', async (t) => {
  const gateway = await startGateway(t)
  const bytes = randomBytes(2 * MIB)
  const data = new FormData()
  data.append('input_text', 'a note')
  data.append('file', new Blob([bytes], { type: 'image/png' }), 'p "1" €.png')
  const receiver = fetch(gateway.url('f')).then(async (response) => {
    return { headers: response.headers, body: Buffer.from(await response.arrayBuffer()) }
  })
  await gateway.holds(1, 0)
  const sender = await fetch(gateway.url('f?reply=end&sha256'), { method: 'POST', body: data })
  t.equal(sender.status, 200)
  const digest = createHash('sha256').update(bytes).digest('hex')
  t.ok((await sender.text()).endsWith(`Upload complete.\n[INFO] SHA-256: ${digest}\n[INFO] Transfer complete.\n`))
  const received = await receiver
  t.equal(received.headers.get('content-type'), 'image/png')
  t.match(received.headers.get('content-disposition'), /filename\*=UTF-8''p%20%221%22%20%E2%82%AC\.png$/)
  t.equal(Buffer.compare(received.body, bytes), 0)
})

t.test('over TLS, to two receivers', async (t) => {
  const { cert, key } = makeCertificate(t.testdir({}))
  const gateway = await startGateway(t, { tlsCert: cert, tlsKey: key })
  const bytes = randomBytes(5 * MIB)
  const dir = t.testdir({})
  writeFileSync(join(dir, 'big.bin'), bytes)
  const receivers = [1, 2].map(() => curl(['-k', gateway.url('x?n=2')]))
  await eventually(() => gateway.gateway.table.get('x')?.receiversPresent === 2 || 'not both are there')
  const sent = await curlDone(['-k', '-F', `file=@${dir}/big.bin`, gateway.url('x?n=2')])
  t.equal(sent.code, 0)
  for (const { result } of receivers) t.equal(Buffer.compare((await result).stdout, bytes), 0)
})

t.test('in whatever pieces it comes, and whoever comes first', async (t) => {
  const gateway = await startGateway(t)
  const stream = `\r\n--${BOUNDARY.slice(0, 5)}\r\n-\r\n--a-boundarx--\r\n\r\n`
  const body = form(field('x', 'y'), file('', ''), file(stream), field('z', 'after'))
  t.comment('whole')
  for (const senderFirst of [true, false]) {
    const { headers, body: got } = await relayed(t, gateway, body, senderFirst)
    t.equal(got.toString('latin1'), stream)
    t.match(headers['content-disposition'], ['attachment; filename=f.bin'])
  }
  for (const most of [1, 2, 7]) {
    const receiver = await get(gateway, `p${most}`)
    const sender = await post(gateway, `p${most}`, '', `Content-Length: ${body.length}`)
    // Each in a packet of its own, as nearly as it can be had.
    for (let at = 0; at < body.length; at += most) {
      await sender.send(body.slice(at, at + most))
      await new Promise(setImmediate)
    }
    t.equal((await receiver.waitForResponse()).body.toString('latin1'), stream, `${most} bytes at a time`)
    for (const client of [sender, receiver]) client.destroy()
  }
})

t.test('the file that was not chosen is none', async (t) => {
  const gateway = await startGateway(t)
  const unchosen: Part = { ...file('', '') }
  t.equal((await relayed(t, gateway, form(unchosen, field('input_text', 'hi')), true)).body.toString(), 'hi')
  t.equal((await relayed(t, gateway, form(field('input_text', 'hi'), unchosen), false)).body.toString(), 'hi')
  const { headers, body } = await relayed(t, gateway, form(file('bytes', '')), false)
  t.same([body.toString(), headers['content-disposition']], ['bytes', undefined])
})

t.test('a backslash in the name of a file is one, and the name is what stands behind the last', async (t) => {
  const gateway = await startGateway(t)
  for (const [written, saved] of [
    ['C:\\docs\\new\\report.txt', 'report.txt'],
    ['\\\\server\\share\\a.txt', 'a.txt'],
    ['a\\\\b.txt', 'b.txt'],
    ['a\\b/c\\d.txt', 'd.txt'],
    ['trailing\\', 'download'],
    // As Go and old curls write a quote.
    ['say \\"hi\\".txt', '"say \\"hi\\".txt"'],
    ['say %22hi%22.txt', '"say \\"hi\\".txt"'],
    ['a%0D%0Ab.txt', 'ab.txt'],
  ] as const) {
    const { headers, body } = await relayed(t, gateway, form(file('bytes', written)), false)
    t.same(headers['content-disposition'], [`attachment; filename=${saved}`], written)
    t.equal(body.toString(), 'bytes')
  }
})

t.test('a first field of more than 1 MiB is the stream, as it is for Piping Server', async (t) => {
  const gateway = await startGateway(t)
  for (const [length, senderFirst] of [
    [8 * MIB, false],
    // What nobody has taken yet must fit into the buffers on the way.
    [1.5 * MIB, true],
  ] as const) {
    const bytes = 'x'.repeat(length)
    const part: Part = { disposition: 'form-data; name="input_data"', type: 'application/octet-stream', body: bytes }
    const { headers, body } = await relayed(t, gateway, form(part, file('behind it')), senderFirst)
    t.same(headers['content-type'], ['application/octet-stream'])
    t.same(headers['content-disposition'], ['form-data; name="input_data"'])
    t.equal(body.toString('latin1') === bytes, true)
  }
  const most = 'x'.repeat(MIB)
  t.equal((await relayed(t, gateway, form(field('a', most), file('a file')), false)).body.toString(), 'a file')
  t.equal((await relayed(t, gateway, form(field('a', most), field('input_text', 'hi')), true)).body.toString(), 'hi')
  t.equal((await relayed(t, gateway, form(field('a', most)), true)).body.length, MIB)
  const long = form(field('input_text', `${most}x`), file('a file'))
  t.equal((await relayed(t, gateway, long, false)).body.toString(), 'a file', 'a text of the pages is not')
})

t.test('field names that mean something to JavaScript mean nothing here', async (t) => {
  const gateway = await startGateway(t)
  const parts = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((name) => field(name, 'x'))
  t.equal((await relayed(t, gateway, form(...parts, file('bytes')), false)).body.toString(), 'bytes')
})

const HEAD = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n`
const BROKEN = /^\[ERROR\] Transfer failed: the form is broken, or ends before its last boundary\.\n/m
const EMPTY = /^\[ERROR\] Transfer failed: no file and no text came in the form\.\n/m

t.test('a form that breaks behind the beginning of its stream: both sides are cut', async (t) => {
  const gateway = await startGateway(t)
  const whole = form(file('x'.repeat(1000)))
  const cases: readonly (readonly [what: string, body: string])[] = [
    ['no last boundary', whole.slice(0, whole.lastIndexOf('--a-'))],
    ['half of the last boundary', whole.slice(0, -7)],
    ['one dash of the last boundary', whole.slice(0, -3)],
    ['another boundary than was said', whole.replace(/--a-boundary--/, '--b-boundary--')],
    ['more behind the last boundary', `${whole}--${BOUNDARY}--`],
    ['the last boundary stands in the stream', `${whole}x\r\n--${BOUNDARY}--\r\n`],
    ['a part behind it that has no head', whole.replace(`--${BOUNDARY}--`, `--${BOUNDARY}\r\nx\r\n--${BOUNDARY}--`)],
    ['a part behind it with a head that is too long', form(file('x'.repeat(1000)), field('x'.repeat(9000), ''))],
    ['too many parts behind it', form(file('x'.repeat(1000)), ...Array<Part>(1000).fill(field('a', '')))],
  ]
  for (const [i, [what, body]] of cases.entries()) {
    const receiver = await get(gateway, `b${i}`)
    await gateway.holds(1, 0)
    const begun = whole.indexOf('xxx') + 500
    const sender = await post(gateway, `b${i}`, body.slice(0, begun), `Content-Length: ${body.length}`)
    await receiver.waitFor('x'.repeat(500))
    await sender.send(body.slice(begun))
    await sender.waitForClose()
    await receiver.waitForClose()
    t.match(sender.text, BROKEN, what)
    t.notOk(parseResponse(sender.received).complete, `${what}: the sender is cut`)
    t.notOk(parseResponse(receiver.received).complete, `${what}: the receiver is cut`)
    t.equal(await gateway.ended(`b${i}`), 'broken_form', what)
  }
})

t.test('a form that breaks before its receivers have a head: they get a status', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await get(gateway, 'x')
  await gateway.holds(1, 0)
  const sender = await post(gateway, 'x', form(file('x')).slice(0, -5))
  t.match(await receiver.waitForResponse(), { status: 502, headers: { 'x-pipe-code': ['BROKEN_FORM'] } })
  for (const client of [sender, receiver]) client.destroy()
})

t.test('a form that has no stream: the sender fails, and the receiver waits for another one', async (t) => {
  const gateway = await startGateway(t)
  const cases: readonly (readonly [what: string, body: string, line: RegExp])[] = [
    ['an empty form', `--${BOUNDARY}--\r\n`, EMPTY],
    ['only a file that was not chosen', form(file('', '')), EMPTY],
    ['no form at all', 'hello', BROKEN],
    ['an empty body', '', BROKEN],
    ['another boundary', form(file('x')).replaceAll(BOUNDARY, 'b-boundary'), BROKEN],
    ['a part that is no form-data', form({ disposition: 'attachment; filename="x"', body: 'x' }), BROKEN],
    ['a part without a disposition', `--${BOUNDARY}\r\nContent-Type: a/b\r\n\r\nx\r\n--${BOUNDARY}--`, BROKEN],
    ['a head that is too long', `${HEAD}X: ${'y'.repeat(9000)}\r\n\r\nx\r\n--${BOUNDARY}--\r\n`, BROKEN],
    ['a head that does not end', `${HEAD}X: y\r\n--${BOUNDARY}--\r\n`, BROKEN],
    ['too many parts', form(...Array<Part>(1001).fill(field('a', '')), file('x')), BROKEN],
    [
      'a text that is too long',
      form(field('input_text', 'x'.repeat(MIB + 1))),
      /^\[ERROR\] .*more bytes than it may have\.\n/m,
    ],
  ]
  const receiver = await get(gateway, 'x')
  await gateway.holds(1, 0)
  for (const [what, body, line] of cases) {
    const sender = await post(gateway, 'x', body)
    await sender.waitForClose()
    t.match(sender.text, line, what)
    t.notOk(parseResponse(sender.received).complete, what)
  }
  const replyAtEnd = await post(gateway, 'x?reply=end', 'hello')
  t.equal((await replyAtEnd.waitForResponse()).status, 502)
  t.equal(receiver.receivedBytes, 0)
  const last = await post(gateway, 'x', form(field('input_text', 'x'.repeat(MIB))))
  t.equal((await receiver.waitForResponse()).body.length, MIB)
  for (const client of [last, receiver, replyAtEnd]) client.destroy()
})

t.test('without a boundary that is one', async (t) => {
  const gateway = await startGateway(t)
  for (const parameters of [
    '',
    ';',
    '; boundary',
    '; boundary=',
    '; boundary=""',
    `; boundary=${'b'.repeat(71)}`,
    '; boundary="a "',
    '; charset=utf-8',
  ]) {
    const { stdout } = await curlDone([
      '-w',
      '%{http_code}',
      '-H',
      `Content-Type: Multipart/Form-Data${parameters}`,
      '-d',
      'x',
      gateway.url('x'),
    ])
    t.match(stdout.toString(), /^\[ERROR\] The Content-Type of this form has .*\n400$/, parameters)
  }
  const receiver = await get(gateway, 'q')
  const sender = await connect({ port: gateway.port })
  const body = form(file('x')).replaceAll(BOUNDARY, 'a "b:')
  await sender.send(
    `PUT /q HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data ;charset=x;\tBoundary="a \\"b:"\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  t.equal((await receiver.waitForResponse()).body.toString(), 'x')
  for (const client of [sender, receiver]) client.destroy()
})

t.test('a sender that dies in the middle of its file', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await get(gateway, 'x')
  const sender = await post(gateway, 'x', `${HEAD}\r\n${'x'.repeat(5000)}`, 'Content-Length: 10000')
  await receiver.waitFor('x'.repeat(4000))
  sender.reset()
  await receiver.waitForClose()
  t.notOk(parseResponse(receiver.received).complete)
  t.equal(await gateway.ended('x'), 'sender_left')
})

t.test('the transfer is complete when the form is, however much stands behind the file', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await get(gateway, 'x')
  const behind = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${'y'.repeat(3 * MIB)}`
  const body = `${HEAD}\r\nthe file\r\n${behind}`
  const end = `\r\n--${BOUNDARY}--\r\n`
  const sender = await post(gateway, 'x', body, `Content-Length: ${body.length + end.length}`)
  await receiver.waitFor('the file')
  t.notMatch(sender.text, /Upload complete/)
  t.notOk(parseResponse(receiver.received).complete)
  await sender.send(end)
  await sender.waitFor('Transfer complete.')
  t.equal((await receiver.waitForResponse()).body.toString(), 'the file')
  for (const client of [sender, receiver]) client.destroy()
})

t.test('a receiver that takes nothing holds the upload, and the memory stays in the window', async (t) => {
  const gateway = await startGateway(t)
  const { slabs, table } = gateway.gateway
  const bytes = Buffer.alloc(64 * MIB, 'form')
  const receiver = await connect({ port: gateway.port, pauseOnConnect: true, keep: false })
  await receiver.send('GET /x HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(1, 0)
  const end = `\r\n--${BOUNDARY}--\r\n`
  const sender = await post(
    gateway,
    'x',
    `${HEAD}\r\n`,
    `Content-Length: ${HEAD.length + 2 + bytes.length + end.length}`,
  )
  const sending = sender.send(bytes)
  let most = 0
  const read = () => table.get('x')?.bytesIn ?? 0
  for (let before = -1; before !== read(); ) {
    before = read()
    const until = performance.now() + 500
    await eventually(() => {
      most = Math.max(most, slabs.heldBytes)
      return performance.now() > until || 'the time is not over'
    })
  }
  t.ok(read() < bytes.length, `${read()} of ${bytes.length} bytes were read`)
  t.ok(most <= 2 * MIB, `${most} bytes were held`)
  receiver.resume()
  await sending
  await sender.send(end)
  await sender.waitFor('Transfer complete.')
  t.ok(receiver.receivedBytes > bytes.length)
  for (const client of [sender, receiver]) client.destroy()
})

t.test('text and files wait for their receivers', async (t) => {
  const gateway = await startGateway(t)
  for (const part of [field('input_text', 'hello'), file('hello')]) {
    const sender = await post(gateway, 'x', form(part))
    await sender.waitFor('Waiting for')
    await eventually(() => gateway.gateway.table.get('x')?.bytesIn === 5 || 'it has not been read')
    const receiver = await get(gateway, 'x')
    t.equal((await receiver.waitForResponse()).body.toString(), 'hello')
    await sender.waitFor('Transfer complete.')
    for (const client of [sender, receiver]) client.destroy()
  }
})

t.test('somebody has to decide first: what has been read meanwhile is not lost', async (t) => {
  let decide: () => void = () => {}
  const decided = new Promise<void>((resolve) => {
    decide = resolve
  })
  const slow = definePlugin({
    name: 'slow',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup: () => ({ hooks: { onAdmitAsync: () => decided } }),
  })
  const gateway = await startGateway(t, {}, { plugins: [{ plugin: slow as unknown as Plugin }] })
  const sender = await post(gateway, 'x', form(field('a', 'b'), file('hello')))
  const receiver = await get(gateway, 'x')
  decide()
  t.equal((await receiver.waitForResponse()).body.toString(), 'hello')
  await sender.waitFor('Transfer complete.')
  for (const client of [sender, receiver]) client.destroy()
})
