/** Which connection of uWebSockets.js can be corked, and when. */

import { readSync } from 'node:fs'
import { connect as tcpConnect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { connect } from '../../support/raw.js'
import { head, type Served, type Tidy } from '../app.js'
import { hold } from './held-responses.js'

t.jobs = 4

/** A client that node never reads from: `arrived()` asks the kernel itself, so it works inside a callback of the server. */
async function kernelReader(t: Tidy, served: Served, request: string) {
  const socket = tcpConnect({ port: served.port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  socket.pause()
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.write(request)
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
  const buffer = Buffer.alloc(64 * 1024)
  const arrived = (): string => {
    try {
      return buffer.toString('latin1', 0, readSync(fd, buffer))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return ''
      throw error
    }
  }
  /** Waits without giving the event loop a turn. */
  const arrivedSoon = (): string => {
    const deadline = performance.now() + 2_000
    const sleeper = new Int32Array(new SharedArrayBuffer(4))
    for (;;) {
      const text = arrived()
      if (text !== '' || performance.now() > deadline) return text
      Atomics.wait(sleeper, 0, 0, 1)
    }
  }
  return { arrived, arrivedSoon }
}

t.test('outside of a callback, cork() holds everything back and sends it as one piece', async (t) => {
  const { served, desk } = await hold(t)
  const reader = await kernelReader(t, served, head('GET', '/'))
  const { res } = await desk.arrival('/')
  await nextTurn()
  let inside = ''
  res.cork(() => {
    res.writeStatus('200 OK').writeHeader('X', 'y')
    res.write('abc')
    inside = reader.arrived()
  })
  t.equal(inside, '')
  t.match(reader.arrivedSoon(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*3\r\nabc$/)
})

t.test(
  'inside the handler and onData of one request another response cannot be corked: its pieces leave one by one',
  async (t) => {
    const { served, desk } = await hold(t)
    for (const place of ['handler', 'onData']) {
      const path = `/${place}`
      const reader = await kernelReader(t, served, head('GET', path))
      const { res } = await desk.arrival(path)
      await nextTurn()
      const pieces: string[] = []
      const start = () =>
        res.cork(() => {
          res.writeStatus('200 OK')
          pieces.push(reader.arrivedSoon())
          res.writeHeader('X', 'y')
          pieces.push(reader.arrivedSoon())
        })
      const other = await hold(t, (seen) => {
        if (place === 'handler') start()
        else seen.read((chunk) => chunk.byteLength > 0 && start())
      })
      const client = await connect(other.served)
      await client.send(`${head('PUT', '/', 'Content-Length: 3')}abc`)
      await eventually(() => pieces.length === 2 || `${place} did not run`)
      t.match(pieces[0], /^HTTP\/1\.1/, `${place}: the status line left inside the cork`)
      t.not(pieces[1], '', `${place}: and so did the header`)
      client.destroy()
    }
  },
)
