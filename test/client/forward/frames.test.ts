/** The bytes of one direction on their way: taken apart as they were put together, and an end only where one was said. */

import { connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { carry } from '../../../client/forward/carry.js'
import { END, FrameReader, marker, STILL_HERE } from '../../../client/forward/frames.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { Peer } from './rig.js'

t.test('frames come apart as they were, whatever pieces they come in', async (t) => {
  const parts = ['', 'a', 'bc', 'x'.repeat(70_000)].filter((part) => part !== '').map((part) => Buffer.from(part))
  const framed = parts.flatMap((part) => [STILL_HERE, marker(part.length), part, STILL_HERE])
  const whole = Buffer.concat([...framed, END])
  for (const size of [1, 2, 3, 5, 4096, whole.length]) {
    const reader = new FrameReader()
    const got: Buffer[] = []
    for (let at = 0; at < whole.length; at += size) {
      t.equal(reader.isEnded, false)
      reader.take(whole.subarray(at, at + size), (bytes) => got.push(bytes))
    }
    t.ok(Buffer.concat(got).equals(Buffer.concat(parts)), `in pieces of ${size}`)
    t.ok(reader.isEnded)
  }
})

t.test('what no forward sends is refused', async (t) => {
  const take = (...pieces: Buffer[]) => new FrameReader().take(Buffer.concat(pieces), () => {})
  t.throws(() => take(Buffer.from('HTTP/1.1 200')), /not what a forward sends/)
  t.throws(() => take(marker(17 * 1024 * 1024)), /not what a forward sends/)
  t.throws(() => take(END, Buffer.from('x')), /behind the end/)
})

/** A connection that is carried, its program, and what comes from the other side. */
async function carried(t: Test) {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const program = new Peer(connect({ port: await listenOnLoopback(server), host: '127.0.0.1', allowHalfOpen: true }))
  t.teardown(() => {
    program.socket.destroy()
    server.close()
  })
  const [out, incoming] = [new PassThrough(), new PassThrough()]
  out.resume()
  const delivered = new Promise<void>((resolve) => out.once('finish', resolve))
  const way = { name: 'pipes', out, in: Promise.resolve(incoming), delivered, cut: () => out.destroy() } as const
  const done = carry(await accepted, way, { sent: 0, received: 0 }, new Promise<never>(() => {}))
  done.catch(() => {})
  return { program, out, incoming, done }
}

t.test('a stream that just ends, as some proxies end what they have lost, is a cut', async (t) => {
  const { program, incoming, out, done } = await carried(t)
  incoming.write(marker(10))
  incoming.end('only a')
  t.equal(await program.ended, 'cut')
  t.ok('only a'.startsWith(program.read.toString()), 'a reset may overtake what goes before it')
  t.ok(out.destroyed)
  await t.rejects(done, /the other side is gone/)
})

t.test('one that says so has ended, and the other direction has not', async (t) => {
  const { program, incoming, out, done } = await carried(t)
  incoming.write(marker(3))
  incoming.write('all')
  incoming.end(END)
  t.equal(await program.ended, 'end')
  t.equal(program.read.toString(), 'all')
  t.equal(out.writableEnded, false)
  program.socket.end('my own')
  await done
  t.ok(out.writableEnded)
})
