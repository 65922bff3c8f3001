/** The header fields that a sender forwards. */
import t from 'tap'
import { streamHead } from '../../../gateway/stream/stream-head.js'
import { headersFor, headOf, request, valuesOf } from './head-rig.js'

t.test('only Content-Encoding, X-Piping and X-Hoody-Pipe are forwarded, with all values in order', async (t) => {
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
    ['Content-Encoding', 'gzip'],
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
    allowed.slice(6).map(([name]) => name),
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
