/** The streaming reader and the parser of whole responses must agree, wherever the input is cut into pieces. */

import t from 'tap'
import { parseResponse } from './raw.js'
import { ResponseReader } from './response-reader.js'

function read(text: string, pieceBytes: number): { reader: ResponseReader; body: string } {
  const input = Buffer.from(text, 'latin1')
  const pieces: string[] = []
  const reader = new ResponseReader((bytes) => pieces.push(bytes.toString('latin1')))
  for (let at = 0; at < input.length; at += pieceBytes) reader.push(input.subarray(at, at + pieceBytes))
  return { reader, body: pieces.join('') }
}

const WHOLE = [
  'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: a\r\n\r\nbody',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\n\r\n\r\n0\r\n\r\n',
  'HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
]

t.test(
  'it reads what the parser reads, in pieces of every size, and is complete with the last byte only',
  async (t) => {
    for (const text of WHOLE) {
      const parsed = parseResponse(Buffer.from(text, 'latin1'))
      for (let piece = 1; piece <= text.length; piece++) {
        const { reader, body } = read(`${text}more`, piece)
        const seen = [reader.complete, reader.problem, reader.head?.status, body, reader.bodyBytes, reader.excess]
        t.same(seen, [true, undefined, parsed.status, parsed.body.toString('latin1'), parsed.body.length, 4], text)
        for (let end = 0; end < text.length; end++) {
          if (read(text.slice(0, end), piece).reader.complete) t.fail(`complete with ${end} bytes of ${text}`)
        }
      }
    }
  },
)

t.test('an interim response is passed over', async (t) => {
  const { reader } = read(`HTTP/1.1 100 Continue\r\n\r\n${WHOLE[0]}`, 7)
  t.same([reader.complete, reader.head?.status], [true, 200])
})

t.test('a body that ends with the connection is complete with a clean end only, for who allows it', async (t) => {
  const reader = new ResponseReader(() => {}, true)
  reader.push(Buffer.from('HTTP/1.0 200 OK\r\n\r\nbody'))
  t.same([reader.complete, reader.problem, reader.bodyBytes], [false, undefined, 4])
  reader.ended()
  t.equal(reader.complete, true)
  const short = new ResponseReader(() => {}, true)
  short.push(Buffer.from('HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nbody'))
  short.ended()
  t.equal(short.complete, false, 'one with a length needs all of it')
})

t.test('what is no response is called a problem, and never complete', async (t) => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  for (const text of [
    'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    `${chunked}x\r\n0\r\n\r\n`,
    `${chunked}3\r\nabcd\r\n0\r\n\r\n`,
    `${chunked}3\r\nab\r\n0\r\n\r\n`,
  ]) {
    const { reader } = read(text, 5)
    t.equal(reader.complete, false, text)
    t.not(reader.problem, undefined, text)
  }
})
