/** What Node and the system do with ends and resets, on which `pipegate forward` is built. An upgrade that changes it is told here. */

import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { endOnlyAtAnEnd } from '../../../client/forward/honest-end.js'
import { reset } from '../../../client/forward/reset.js'
import { listenOnLoopback } from '../../support/loopback.js'

/** A connection from its two ends. */
async function pair(t: Test): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const near = connect({ port: await listenOnLoopback(server), host: '127.0.0.1', allowHalfOpen: true }).pause()
  const far = await accepted
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  await new Promise((resolve) => (near.connecting ? near.once('connect', resolve) : resolve(undefined)))
  return { near, far }
}

interface Outcome {
  bytes: number
  over: 'end' | 'error'
}

/** What is read of it to its end. */
function readAll(socket: Socket): Promise<Outcome> {
  return new Promise((resolve) => {
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    socket.once('end', () => resolve({ bytes, over: 'end' })).once('error', () => resolve({ bytes, over: 'error' }))
    socket.resume()
  })
}

/** Bytes and a reset, which both have come before anybody reads. */
async function resetBehindBytes(t: Test, isHonest: boolean): Promise<Outcome> {
  const { near, far } = await pair(t)
  if (isHonest) endOnlyAtAnEnd(near)
  near.end()
  await new Promise((resolve) => near.once('finish', resolve))
  await new Promise((resolve) => far.write('x'.repeat(1000), resolve))
  reset(far)
  await new Promise((resolve) => far.once('close', resolve))
  return readAll(near)
}

t.test('a reset behind bytes is an end for Node, and an error for who looks twice', async (t) => {
  t.same(
    await resetBehindBytes(t, false),
    { bytes: 1000, over: 'end' },
    'when this fails, endOnlyAtAnEnd has done its work',
  )
  t.same(await resetBehindBytes(t, true), { bytes: 1000, over: 'error' })
})

t.test('an end is an end for both', async (t) => {
  for (const isHonest of [false, true]) {
    for (const isOver of [false, true]) {
      const { near, far } = await pair(t)
      if (isHonest) endOnlyAtAnEnd(near)
      if (isOver) near.end()
      far.end('x'.repeat(1000))
      await new Promise((resolve) => far.once('finish', resolve))
      t.same(await readAll(near), { bytes: 1000, over: 'end' })
    }
  }
})

t.test('a reset is seen at once, also by who does not read, and no end goes before it', async (t) => {
  const { near, far } = await pair(t)
  endOnlyAtAnEnd(near)
  // More than the systems take: it waits.
  far.write(Buffer.alloc(50_000_000))
  reset(far)
  const { bytes, over } = await readAll(near)
  t.equal(over, 'error')
  t.ok(bytes < 50_000_000)
})

t.test('what ends at this moment is reset when it has', async (t) => {
  const { near, far } = await pair(t)
  endOnlyAtAnEnd(near)
  far.end('all of it')
  // The system is asked to send the end in the next turn.
  process.nextTick(() => reset(far))
  near.write('more')
  await new Promise((resolve) => far.once('close', resolve))
  const { bytes } = await readAll(near)
  t.equal(bytes, 9)
})
