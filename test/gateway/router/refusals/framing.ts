/** Bodies whose end is unclear, and requests that hide behind them. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { HEAD_FAILURES, type HeadProblem } from '../../../../gateway/http/head-failures.js'
import { startGateway } from '../../../support/gateway.js'
import { startProgram } from '../../../support/program.js'
import { connect } from '../../../support/raw.js'
import { checkJson, checkText, get, nameOf, open, put, wire } from './rig.js'

/** By the codes of `HEAD_FAILURES`. */
const MALFORMED: readonly (readonly [headers: string, body: string, code: HeadProblem])[] = [
  ['Content-Length: 3\r\nContent-Length: 3', 'abc', 'REPEATED_LENGTH'],
  ['Content-Length: 3\r\nContent-Length: 5', 'abc', 'REPEATED_LENGTH'],
  ['Content-Length: 0\r\nContent-Length: 3', 'abc', 'REPEATED_LENGTH'],
  ['Content-Length: 1\r\nX-A: b\r\ncontent-length: 1\r\nCONTENT-LENGTH: 1', 'a', 'REPEATED_LENGTH'],
  ['Content-Length: ', '', 'BAD_LENGTH'],
  ['Content-Length: +3', 'abc', 'BAD_LENGTH'],
  ['Content-Length: -1', 'abc', 'BAD_LENGTH'],
  ['Content-Length: 3, 3', 'abc', 'BAD_LENGTH'],
  ['Content-Length: 0x3', 'abc', 'BAD_LENGTH'],
  ['Content-Length: 3 3', 'abc', 'BAD_LENGTH'],
  ['Content-Length: 9999999999999999999', 'abc', 'BAD_LENGTH'],
  ['Content-Length: 3\r\nTransfer-Encoding: chunked', '0\r\n\r\n', 'LENGTH_AND_CODING'],
  ['Transfer-Encoding: chunked\r\nContent-Length: 3', '0\r\n\r\n', 'LENGTH_AND_CODING'],
  ['Transfer-Encoding: gzip', '0\r\n\r\n', 'UNKNOWN_CODING'],
  ['Transfer-Encoding: gzip, chunked', '0\r\n\r\n', 'UNKNOWN_CODING'],
  ['Transfer-Encoding: identity', '0\r\n\r\n', 'UNKNOWN_CODING'],
  ['Transfer-Encoding: xchunked', '0\r\n\r\n', 'UNKNOWN_CODING'],
  ['Transfer-Encoding: ', '0\r\n\r\n', 'BAD_CODING'],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n', 'BAD_CODING'],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n', 'BAD_CODING'],
]

/** Without the helper, where uWebSockets reads the head first: what it lets pass is refused here. */
const WITHOUT_HELPER: readonly (readonly [headers: string, body: string, found: RegExp])[] = [
  ['Content-Length: 3\r\nContent-Length: 5', 'abc', /2 Content-Length headers/],
  ['Content-Length: ', '', /a Content-Length that is not plain digits/],
  ['Transfer-Encoding: gzip, chunked', '0\r\n\r\n', /a Transfer-Encoding other than chunked/],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n', /2 Transfer-Encoding headers/],
]

t.test('a body whose end is unclear is refused and the connection closes', async (t) => {
  const gw = await startGateway(t)
  await Promise.all(
    MALFORMED.flatMap(([headers, body, code]) =>
      ['PUT', 'POST', 'GET', 'DELETE'].map(async (method) => {
        const ask = { method, target: '/p', headers: [headers], body }
        const row = HEAD_FAILURES[code]
        const says = new RegExp(row.message.replace(/[.()]/g, '\\$&').replace('{found}', '.*'))
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
  t.equal(gw.gateway.table.waiting, 0, 'none of them joined a pipe')
})

t.test('without the helper, what uWebSockets lets pass of them is refused', async (t) => {
  const program = await startProgram(t, ['--socket-helper=no'])
  for (const [headers, body, found] of WITHOUT_HELPER) {
    const client = await connect({ port: program.port })
    await client.send(wire({ method: 'PUT', target: '/p', headers: [headers], body }))
    const response = await client.waitForResponse()
    const says = new RegExp(`This request has ${found.source}\\. Send one Content-Length .* and not both\\.`)
    checkText(t, headers, response, { row: FAILURES.badFraming, says })
    await client.waitForClose(3000)
  }
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
    await Promise.all(
      MALFORMED.map(async ([headers, body]) => {
        const client = await connect({ port: gw.port })
        const first = wire({ method: 'PUT', target: '/p', headers: [headers], body })
        if (gap) {
          await client.send(first)
          await client.waitFor(/^HTTP\/1\.1 [45]0[01]/)
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
