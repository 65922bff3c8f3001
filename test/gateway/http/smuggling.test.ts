/**
 * Request smuggling: a body, or what somebody hopes is taken for one, that reads like a request of its own. Straight to the
 * gateway, and through nginx and HAProxy, which let their clients take turns on one connection: there a request that came out of a body
 * would be answered to somebody else. RFC 9112, section 11.2.
 */

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { startHaproxy } from '../../support/haproxy.js'
import { type Front, startNginx } from '../../support/nginx.js'
import { connect, parseResponse, type RawClient } from '../../support/raw.js'

/** What must never be taken for a request. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const { length: LENGTH } = SMUGGLED

/** As one chunk, and the whole body. */
const CHUNKED = `${LENGTH.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
/** Whoever reads chunks sees the end before it, and whoever counts bytes sees it in the body. */
const BEHIND = `0\r\n\r\n${SMUGGLED}`

const request = (start: string, fields: readonly string[], body: string) =>
  `${start} HTTP/1.1\r\nHost: x\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`

/** Refused at once: while an answer is missing, whatever stands behind a request closes the connection. */
const put = (fields: readonly string[], body: string) => request('PUT /put?n=0', fields, body)
const length = (bytes: number | string) => `Content-Length: ${bytes}`
const TE = 'Transfer-Encoding: chunked'

/** Codings that one parser takes for chunked, and another one does not. */
const CODINGS = [
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: \xa0chunked',
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: 'chunked'",
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunkedx',
  'Transfer-Encoding: CHUNKED',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: ',
  'Transfer-Encoding\0: chunked',
  'Transfer-Encoding: chunked\0',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding:chunked\rX: 1',
  'X: 1\nTransfer-Encoding: chunked',
  'X: 1\rTransfer-Encoding: chunked',
  'Foo\r\nTransfer-Encoding: chunked',
  'X:\0\r\nTransfer-Encoding: chunked',
]

const AMBIGUOUS: Readonly<Record<string, readonly string[]>> = {
  'CL.TE': [put([length(BEHIND.length), TE], BEHIND), put([TE, length(BEHIND.length)], BEHIND)],
  'TE.CL': [put([TE, length(4)], CHUNKED), put([length(4), TE], CHUNKED)],
  'TE that is hidden from one side': CODINGS.flatMap((coding) => [
    put([length(BEHIND.length), coding], BEHIND),
    put([coding, length(4)], CHUNKED),
  ]),
  'two codings': CODINGS.flatMap((coding) => [put([TE, coding], CHUNKED), put([coding, TE], CHUNKED)]),
  'two lengths': [
    put([length(0), length(LENGTH)], SMUGGLED),
    put([length(LENGTH), length(0)], SMUGGLED),
    put([length(`0, ${LENGTH}`)], SMUGGLED),
    put([length(LENGTH), 'Content-Length : 0'], SMUGGLED),
    put([length(LENGTH), 'Content_Length: 0'], SMUGGLED),
    put([length(LENGTH), 'Content-Length:\r\n 0'], SMUGGLED),
    put([length(LENGTH), 'X: 1\nContent-Length: 0'], SMUGGLED),
  ],
  'lengths that are read in two ways': [
    ...['+0', '-0', '0x0', '0 0', '0,', '0;', '0.0', '0e0', '\x0b0', '"0"', '٠', '', '-1', '0\0', `0\0${LENGTH}`],
    ...['18446744073709551616', '4294967296', '9'.repeat(30)],
  ].map((value) => put([length(value)], SMUGGLED)),
  'sizes of chunks that are read in two ways': [
    ...['0;', '0;x=y', '0 ', ' 0', '\t0', '0\t', '+0', '-0', '0x0', '0_0', '0,', '0\0', '', '0\n', '0\r'],
    ...['10000000000000000', '100000000', `0${'0'.repeat(400)}`],
  ].map((size) => put([TE], `${size}\r\n\r\n${SMUGGLED}`)),
  'chunks that end otherwise': [
    put([TE], `0\n\n${SMUGGLED}`),
    put([TE], `0\r\n\n${SMUGGLED}`),
    put([TE], `0\n\r\n${SMUGGLED}`),
    put([TE], `0\r\n${SMUGGLED}`),
    put([TE], `0\r\r${SMUGGLED}`),
    put([TE], `1\r\nab\r\n0\r\n\r\n${SMUGGLED}`),
    put([TE], `1;\nxx\r\n${LENGTH.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
    put([TE], `2\nab\n0\n\n${SMUGGLED}`),
    put([TE], `2\r\nabXX0\r\n\r\n${SMUGGLED}`),
    put([TE], `0\r\nContent-Length: ${LENGTH}\r\n\r\n${SMUGGLED}`),
    put([TE], `0\r\nX: 1\r\n\r\n${SMUGGLED}`),
  ],
  'other forms of a target': [
    'http://x/put',
    '//x/put',
    '*',
    'put',
    'http://x',
    '/put\t',
    '/put HTTP/1.1\r\nX: 1\r\n\r\nPUT /put',
  ].map((target) => request(`PUT ${target}`, [length(LENGTH)], SMUGGLED)),
  'lines that end with a line feed alone': [
    `PUT /put HTTP/1.1\nHost: x\nContent-Length: ${LENGTH}\n\n${SMUGGLED}`,
    `PUT /put HTTP/1.1\r\nHost: x\nContent-Length: ${LENGTH}\r\n\r\n${SMUGGLED}`,
    `PUT /put HTTP/1.1\r\nHost: x\r\nContent-Length: ${LENGTH}\n\r\n${SMUGGLED}`,
    `PUT /put HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(10)}\n\nContent-Length: ${LENGTH}\r\n\r\n${SMUGGLED}`,
  ],
  'bodies where there should be none': [
    'GET /get',
    'HEAD /head',
    'OPTIONS /options',
    'DELETE /delete',
    'TRACE /trace',
    'GET /',
    'GET /api/v1/pipe/health',
    'GET /get?progress',
    'GET /get?status',
    'CONNECT x:80',
  ].flatMap((start) => [request(start, [length(LENGTH)], SMUGGLED), request(start, [TE], CHUNKED)]),
  'bodies that are refused': [
    'PUT /?',
    'PUT /put?n=0',
    'PUT /a/../b',
    'PUT /api/v1/pipe/health',
    `PUT /${'x'.repeat(1100)}`,
  ].flatMap((start) => [
    request(start, [length(LENGTH)], SMUGGLED),
    request(start, [TE], CHUNKED),
    request(start, [length(LENGTH), 'Expect: 100-continue'], SMUGGLED),
    request(start, [length(LENGTH), 'Content-Range: bytes 0-1/2'], SMUGGLED),
  ]),
  'another protocol': ['Upgrade: websocket', 'Upgrade: h2c', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='].flatMap(
    (upgrade) => [
      put(['Connection: Upgrade', upgrade, length(LENGTH)], SMUGGLED),
      request('GET /get?status', ['Connection: Upgrade', upgrade, length(LENGTH)], SMUGGLED),
    ],
  ),
}

/** Sends it, and waits until nothing more can come of it: it is answered, or closed, or said nothing for a while. */
async function attack(port: number, bytes: string): Promise<void> {
  const client = await connect({ port })
  await client.send(bytes)
  client.halfClose()
  await client.waitForClose(30_000)
}

/** Of what was refused before its target was known there is none, and CONNECT names a host. */
const paths = (gateway: Running) =>
  gateway.lines
    .filter((line) => line.msg === 'request' && String(line.path).startsWith('/'))
    .map((line) => String(line.path))

t.test('straight to the gateway a body is never taken for a request', async (t) => {
  const gateway = await startGateway(t, { wait: '1' }, { plugins: await defaultPlugins() })
  for (const [name, attacks] of Object.entries(AMBIGUOUS)) {
    const wrong: string[] = []
    for (const each of attacks) {
      const from = gateway.lines.length
      await attack(gateway.port, each)
      if (gateway.lines.slice(from).some((line) => line.path === '/smuggled')) wrong.push(each)
    }
    t.same(wrong, [], name)
  }
})

for (const [proxy, start] of Object.entries({ nginx: startNginx, HAProxy: startHaproxy })) {
  t.test(`through ${proxy} nobody is answered what somebody else has sent`, async (t) => {
    const { gateway, front } = await behind(t, start)
    for (const [name, attacks] of Object.entries(AMBIGUOUS)) {
      for (const each of attacks) {
        await attack(front.port, each)
        await victim(t, front, name)
      }
      await pair(t, front, name)
      await t.resolves(everyRequestWasForwarded(gateway, front), name)
    }
  })

  t.test(
    `through ${proxy} an answer that comes before the end of the upload leaves nothing for the next client`,
    async (t) => {
      const { gateway, front } = await behind(t, start)
      const half = SMUGGLED.repeat(4000)
      const chunk = `${half.length.toString(16)}\r\n${half}\r\n`
      const ways = [
        { fields: [length(2 * half.length)], first: half, rest: half },
        { fields: [TE], first: chunk, rest: `${chunk}0\r\n\r\n` },
        { fields: [TE], first: chunk, rest: `0\n\n${SMUGGLED}` },
      ]
      for (const start of ['PUT /put?n=0', 'PUT /api/v1/pipe/help', 'DELETE /delete', 'GET /get', 'GET /get?status']) {
        for (const { fields, first, rest } of ways) {
          const client = await connect({ port: front.port })
          await client.send(request(start, fields, first))
          await client.waitForResponse()
          await victim(t, front, start)
          await client.send(rest)
          await victim(t, front, start)
          client.destroy()
          await victim(t, front, start)
        }
        await pair(t, front, start)
      }
      await t.resolves(everyRequestWasForwarded(gateway, front))
    },
  )

  t.test(`through ${proxy} a transfer that fails in its middle leaves nothing for the next client`, async (t) => {
    const { gateway, front } = await behind(t, start)
    const half = SMUGGLED.repeat(4000)
    for (const [i, reply] of ['end', 'stream', 'end', 'stream'].entries()) {
      const name = `half${i}`
      const [sender, receiver] = [await connect({ port: front.port }), await connect({ port: front.port })]
      await sender.send(request(`PUT /${name}?reply=${reply}`, [length(2 * half.length)], half))
      await receiver.send(request(`GET /${name}`, [], ''))
      await receiver.waitFor('smuggled')
      const [leaves, stays] = i < 2 ? [receiver, sender] : [sender, receiver]
      leaves.reset()
      await gateway.ended(name)
      if (stays === receiver) await neverComplete(t, receiver, `${proxy}, ${name}`)
      await victim(t, front, name)
      await stays.send(SMUGGLED)
      await victim(t, front, name)
      stays.destroy()
      await pair(t, front, name)
    }
    await t.resolves(everyRequestWasForwarded(gateway, front))
  })
}

async function behind(t: Test, start: typeof startNginx): Promise<{ gateway: Running; front: Front }> {
  const gateway = await startGateway(t, { wait: '1' }, { plugins: await defaultPlugins() })
  return { gateway, front: await start(t, gateway.port) }
}

/** A stream that was cut does not look complete, nor will it later. */
async function neverComplete(t: Test, receiver: RawClient, name: string): Promise<void> {
  await receiver.waitForClose()
  const { status, complete, framing } = parseResponse(receiver.received)
  if (status === 200 && complete) t.fail(`${name}: half of a stream looks like all of it, ${framing}`)
}

let victims = 0

/** Somebody else, whose answer names what was asked. */
async function victim(t: Test, front: Front, after: string): Promise<void> {
  const id = `victim${victims++}`
  const client = await connect({ port: front.port })
  await client.send(`GET /${id}?n=${id} HTTP/1.1\r\nHost: x\r\n\r\n`)
  const { status, body } = await client.waitForResponse()
  client.destroy()
  if (status !== 400 || !body.includes(`"${id}"`)) t.fail(`${after}: ${id} was answered ${status} ${body}`)
}

/** Two who meet by the proxy, each with bytes of their own. */
async function pair(t: Test, front: Front, after: string): Promise<void> {
  const name = `pair${victims++}`
  const body = `${name} ${randomBytes(10_000).toString('hex')}`
  const [sender, receiver] = [await connect({ port: front.port }), await connect({ port: front.port })]
  await sender.send(request(`PUT /${name}?reply=end&wait=60`, [length(body.length)], body))
  await receiver.send(request(`GET /${name}?wait=60`, [], ''))
  const got = await receiver.waitForResponse()
  const told = await sender.waitForResponse()
  receiver.destroy()
  sender.destroy()
  if (got.status !== 200 || got.body.toString() !== body) t.fail(`${after}: ${name} has got ${got.status} ${got.body}`)
  if (told.status !== 200) t.fail(`${after}: ${name} was told ${told.status} ${told.body}`)
}

/** The gateway has seen no request that the proxy does not know of. */
function everyRequestWasForwarded(gateway: Running, front: Front): Promise<void> {
  return eventually(() => {
    const forwarded = front.log().filter(({ upstreamStatus }) => upstreamStatus !== '')
    const left = forwarded.map(({ path }) => path.split('?')[0])
    const unknown = paths(gateway).filter((path) => {
      const at = left.indexOf(path)
      if (at >= 0) left.splice(at, 1)
      return at < 0
    })
    return unknown.length === 0 || `the proxy knows nothing of ${unknown}`
  })
}
