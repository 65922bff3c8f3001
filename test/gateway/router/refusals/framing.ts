/** Bodies whose end is unclear, and requests that hide behind them. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { startGateway } from '../../../support/gateway.js'
import { connect } from '../../../support/raw.js'
import { checkJson, checkText, get, nameOf, open, put, wire } from './rig.js'

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
