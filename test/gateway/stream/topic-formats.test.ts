/** What messages look like to subscribers: read back by strict readers of each format. */
import { createParser } from 'eventsource-parser'
import t from 'tap'
import { topicEncoding } from '../../../gateway/stream/topic/encodings.js'
import { EventStream } from '../../../gateway/stream/topic/event-stream.js'
import { MessageLines } from '../../../gateway/stream/topic/message-lines.js'
import { MultipartMixed } from '../../../gateway/stream/topic/multipart-mixed.js'
import { Random } from '../../model/random.js'

const message = (text: string | Uint8Array, type = '') => ({ bytes: Buffer.from(text as Uint8Array), type })

/** The events of a stream, as the HTML standard has a browser read it. */
function events(stream: Uint8Array): { readonly data: string; readonly event: string; readonly id: string }[] {
  const read: { data: string; event: string; id: string }[] = []
  const parser = createParser({
    onEvent: ({ data, event = 'message', id = '' }) => read.push({ data, event, id }),
    onError: (error) => {
      throw error
    },
  })
  parser.feed(Buffer.from(stream).toString('utf8'))
  return read
}

t.test('Accept decides', async (t) => {
  for (const [accept, name] of [
    ['text/event-stream', 'events'],
    ['TEXT/Event-Stream, */*;q=0.1', 'events'],
    ['multipart/mixed', 'multipart'],
    ['application/x-ndjson', 'ndjson'],
    ['*/*', 'lines'],
    ['', 'lines'],
    ['text/html,application/json', 'lines'],
  ] as const) {
    t.equal(topicEncoding(accept).name, name, accept)
  }
})

t.test('events: every line break is one, whatever it is made of, and nothing else is changed', async (t) => {
  const format = new EventStream()
  for (const [text, data] of [
    ['hello', 'hello'],
    ['', ''],
    [' leading', ' leading'],
    ['a\nb', 'a\nb'],
    ['a\n', 'a\n'],
    ['\n', '\n'],
    ['a\r\nb', 'a\nb'],
    ['a\rb', 'a\nb'],
    ['a\r', 'a\n'],
    ['\r\n\r\n', '\n\n'],
    ['\n\r', '\n\n'],
    ['data: x\nid: 9\nevent: bad\n\n', 'data: x\nid: 9\nevent: bad\n\n'],
    [': no comment', ': no comment'],
    ['\ufeffmark', '\ufeffmark'],
    ['zero\u0000byte', 'zero\u0000byte'],
    ['späße 🚀', 'späße 🚀'],
  ] as const) {
    const stream = Buffer.concat([format.opening, format.encode(message(text), 7), format.silence])
    t.same(events(stream), [{ data, event: 'message', id: '7' }], JSON.stringify(text))
    t.notMatch(stream.toString('latin1'), /\r/, 'no carriage return is left')
  }
})

t.test('events: what is not UTF-8 comes in base64, and says so', async (t) => {
  const format = new EventStream()
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0x00, 0x0a, 0xfe]]) {
    const [event] = events(format.encode(message(Uint8Array.from(bytes)), 1))
    t.match(event, { event: 'base64', id: '1' })
    t.same([...Buffer.from(event?.data ?? '', 'base64')], bytes)
  }
})

t.test('events: random texts', async (t) => {
  const random = new Random(20261129)
  const format = new EventStream()
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: random.below(40) }, () =>
      random.pick(['\r', '\n', 'a', ' ', ':', 'é', '\r\n']),
    ).join('')
    const [event, ...more] = events(format.encode(message(text), i))
    if (more.length > 0 || event?.data !== text.replace(/\r\n|\r/g, '\n')) t.fail(JSON.stringify(text))
  }
  t.pass('2000 of them')
})

t.test('lines: a line break behind what has none, and behind nothing else', async (t) => {
  const format = new MessageLines('text/plain')
  const shown = (text: string) => Buffer.from(format.encode(message(text))).toString()
  t.same(['a', 'a\n', '', '\n', 'a\nb', 'a\r'].map(shown), ['a\n', 'a\n', '\n', '\n', 'a\nb\n', 'a\r\n'])
})

t.test('parts: each with its type and its length, and the boundary behind it', async (t) => {
  const format = new MultipartMixed('b')
  const bytes = Uint8Array.from([0, 255, 13, 10, 45, 45, 98])
  const stream = Buffer.concat([
    format.opening,
    format.encode(message('hello', 'text/plain; charset=utf-8')),
    format.encode(message(bytes)),
    format.encode(message('')),
    format.closing,
  ]).toString('latin1')
  t.equal(
    stream,
    '--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello\r\n' +
      '--b\r\nContent-Type: application/octet-stream\r\nContent-Length: 7\r\n\r\n\x00\xff\r\n--b\r\n' +
      '--b\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n\r\n' +
      '--b\r\n\r\n--b--\r\n',
  )
  t.not(new MultipartMixed().head.fields[0]?.[1], new MultipartMixed().head.fields[0]?.[1], 'a boundary is drawn')
})
