/** One request that sends, against a server that answers at moments that a real one reaches only now and then. */

import t from 'tap'
import { Turn } from '../../../client/send/turn.js'
import { readAddress } from '../../../client/wire/address.js'
import { reach } from '../../../client/wire/reach.js'
import { ServerStatus } from '../../../client/wire/server-status.js'
import { startScripted } from './scripted-server.js'

t.test('a server that has all of it before the source is closed', async (t) => {
  const first = '[INFO] Streaming to 1 receiver\n'
  const last = '[INFO] Transfer complete.\n'
  const { origin } = await startScripted(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${first.length + last.length}\r\n\r\n${first}`)
    socket.on('data', (bytes) => /whole/.test(bytes.toString()) && socket.write(last))
  })
  const signal = new AbortController().signal
  const place = {
    address: readAddress(`${origin}/name`)!,
    reach: await reach(new URL(origin), {}),
    headers: {},
  }
  const neverClosed = new Promise<never>(() => {})
  const turn = new Turn({
    place,
    signal,
    status: new ServerStatus(place, signal),
    outgoing: {
      description: { kind: 'file' },
      type: 'text/plain',
      fileName: 'f',
      length: 5,
      about: 5,
      label: 'f',
      isLasting: true,
      async *open() {
        yield Buffer.from('whole')
        await neverClosed
      },
    },
    mode: 'wait=9',
    headers: { 'content-length': 5 },
    transferId: 'one',
    patienceMs: 60_000,
    isVerified: false,
    on: () => {},
  })
  t.match(await turn.run(), { bytes: 5, receivers: 1 })
})
