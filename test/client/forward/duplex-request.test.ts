/** One request that carries both directions: its response may be over long before it is. */

import { createServer } from 'node:net'
import t from 'tap'
import { END, marker } from '../../../client/forward/frames.js'
import { DuplexTransport } from '../../../client/forward/ways/duplex.js'
import { placeOf } from '../../../client/place.js'
import { eventually } from '../../support/eventually.js'
import { listenOnLoopback } from '../../support/loopback.js'

t.test('a response that is over leaves the request running, also where the server closes afterwards', async (t) => {
  let heard = ''
  const server = createServer((socket) => {
    const lines = [
      'HTTP/1.1 200 OK',
      'Connection: close',
      'Transfer-Encoding: chunked',
      '',
      '4',
      END.toString('latin1'),
      '0',
      '',
    ]
    socket.once('data', () => socket.write(`${lines.join('\r\n')}\r\n`, 'latin1'))
    socket.setEncoding('latin1').on('data', (text) => {
      heard += text
    })
    socket.on('error', () => {})
  })
  const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`
  t.teardown(() => server.close())
  const flags = { server: origin, token: undefined, header: [], cacert: undefined }
  const way = new DuplexTransport(await placeOf('x', flags, { XDG_CONFIG_HOME: t.testdir() })).open('an-id', 'listen')
  const stream = await way.in
  for await (const chunk of stream) t.ok((chunk as Buffer).equals(END))
  const word = Buffer.from('the last word')
  way.out.write(marker(word.length))
  await new Promise((resolve) => way.out.write(word, resolve))
  way.out.end(END)
  await way.delivered
  await eventually(() => heard.endsWith('0\r\n\r\n') || `heard ${heard}`)
  t.match(heard, 'the last word')
})
