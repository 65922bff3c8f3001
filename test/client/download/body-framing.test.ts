/** The body of a response, found among the bytes of its connection however they are cut. */

import t from 'tap'
import { type BodyFraming, framingOf } from '../../../client/wire/download/body-framing.js'

const CHUNKED = { 'transfer-encoding': 'chunked' }

/** What it makes of these pieces, each with memory of its own. */
function taken(framing: BodyFraming, pieces: readonly string[]): string {
  return pieces
    .map((piece) => {
      const bytes = Buffer.from(piece, 'latin1')
      return bytes.toString('latin1', 0, framing.take(bytes))
    })
    .join('')
}

/** Cut in two at every place, and into single bytes. */
function* cuts(text: string) {
  yield [text]
  for (let at = 1; at < text.length; at++) yield [text.slice(0, at), text.slice(at)]
  yield [...text]
}

const WHOLE: readonly { readonly text: string; readonly body: string }[] = [
  { text: '0\r\n\r\n', body: '' },
  { text: '5\r\nhello\r\n0\r\n\r\n', body: 'hello' },
  { text: '1\r\na\r\n2\r\nbc\r\nA\r\n0123456789\r\n0\r\n\r\n', body: 'abc0123456789' },
  { text: '0000a;name="v"\r\n\r\n0\r\n\r\n...\r\n0;x\r\nTrailer: yes\r\nX: y\r\n\r\n', body: '\r\n0\r\n\r\n...' },
]

t.test('chunks', async (t) => {
  for (const { text, body } of WHOLE) {
    let cutAt = 0
    for (const pieces of cuts(text)) {
      const framing = framingOf(CHUNKED)
      if (taken(framing, pieces) !== body || !framing.isEnded) t.fail(`${JSON.stringify(pieces)}`)
      cutAt++
    }
    t.ok(cutAt > 1, JSON.stringify(text))
    const framing = framingOf(CHUNKED)
    t.equal(taken(framing, [`${text}and more`]), body, 'what follows is not taken')
    t.notOk(framing.endsWithConnection)
    const early = framingOf(CHUNKED)
    taken(early, [text.slice(0, -1)])
    t.notOk(early.isEnded, 'no end before its last byte')
  }
})

t.test('broken chunks', async (t) => {
  const broken = [
    '\r\n',
    'g\r\n',
    ' 5\r\nhello',
    '-1\r\n',
    '0x5\r\nhello',
    '5\nhello',
    '5\r\nhelloo',
    '5\r\nhello\n',
    '5\r\nhell\r\n0\r\n',
    '5 \r\nhello',
    '5;\nhello',
    'fffffffffffffffff\r\n',
    '20000000000000\r\n',
    `5;${'x'.repeat(9000)}`,
    `0\r\nX: ${'x'.repeat(9000)}`,
  ]
  for (const text of broken) {
    t.throws(
      () => taken(framingOf(CHUNKED), [text]),
      { message: /a chunk is broken/ },
      JSON.stringify(text.slice(0, 30)),
    )
    t.throws(() => taken(framingOf(CHUNKED), [...text]), { message: /a chunk is broken/ })
  }
})

t.test('by length, and to the end of the connection', async (t) => {
  const counted = framingOf({ 'content-length': '5' })
  t.equal(taken(counted, ['he', 'llo and more', 'x']), 'hello')
  t.ok(counted.isEnded)
  t.notOk(counted.endsWithConnection)
  t.ok(framingOf({ 'content-length': '0' }).isEnded)
  const open = framingOf({})
  t.equal(taken(open, ['any', 'thing']), 'anything')
  t.notOk(open.isEnded)
  t.ok(open.endsWithConnection)
})
