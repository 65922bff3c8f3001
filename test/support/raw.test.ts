/** The parser of the raw client: a test helper that calls a truncated body complete would make other tests blind. */

import t from 'tap'
import { eventually } from './eventually.js'
import { parseResponse } from './raw.js'

const parse = (text: string, options?: { head?: boolean }) => parseResponse(Buffer.from(text, 'latin1'), options)

t.test('a body with Content-Length is complete with its last byte, and says where it ends', async (t) => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: a\r\nx: b\r\n\r\nbody'
  const response = parse(`${whole}HTTP/1.1 ...`)
  t.same([response.status, response.reason, response.framing, response.complete], [200, 'OK', 'length', true])
  t.equal(response.body.toString(), 'body')
  t.equal(response.end, whole.length)
  t.same(response.headers.x, ['a', 'b'])
  t.equal(parse(whole.slice(0, -1)).complete, false)
})

t.test('a chunked body is complete with the last line end, and not at any byte before', async (t) => {
  const whole = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  const response = parse(`${whole}more`)
  t.same([response.framing, response.complete, response.end], ['chunked', true, whole.length])
  t.equal(response.body.toString(), 'abcde')
  const start = whole.indexOf('3\r\nabc')
  for (let end = start; end < whole.length; end++) t.equal(parse(whole.slice(0, end)).complete, false, `${end} bytes`)
})

t.test('answers to HEAD, 1xx, 204 and 304 have no body whatever their headers say', async (t) => {
  t.same(parse('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', { head: true }).complete, true)
  const hint = 'HTTP/1.1 100 Continue\r\n\r\n'
  t.equal(parse(`${hint}HTTP/1.1 200 OK\r\n\r\n`).end, hint.length)
  t.equal(parse('HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n').complete, true)
})

t.test('what is no response throws', async (t) => {
  const wrong = {
    'no end of the head': 'HTTP/1.1 200 OK\r\nX: y\r\n',
    'another version': 'HTTP/2.0 200 OK\r\n\r\n',
    'no status': 'HTTP/1.1 OK\r\n\r\n',
    'a space before the colon': 'HTTP/1.1 200 OK\r\nX : y\r\n\r\n',
    'a bare line end in a value': 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody',
    'a length and chunks': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a length that is no number': 'HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\nbody',
    'a chunk size that is no number': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n',
    'a chunk longer than its size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
  }
  for (const [name, text] of Object.entries(wrong)) t.throws(() => parse(text), name)
})

t.test('eventually() says what was still untrue', async (t) => {
  let checks = 0
  await eventually(() => ++checks === 3 || 'not yet')
  t.equal(checks, 3)
  await t.rejects(
    eventually(() => 'the lamp is off', { timeoutMs: 20 }),
    /the lamp is off/,
  )
})
