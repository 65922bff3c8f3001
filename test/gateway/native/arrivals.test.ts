/** What the helper knows of connections that it follows, beside what a queue makes of it: test/gateway/router/queue. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { installSocketHelper } from '../../../gateway/native/socket-helper.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'

const { sockets } = installSocketHelper(true)

/** A connection within this process: the descriptor of one end, and both ends. */
async function pair(t: Test): Promise<{ readonly fd: number; readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const far = connect(port, '127.0.0.1')
  const [near] = (await once(server, 'connection')) as [Socket]
  far.on('error', () => {})
  near.on('error', () => {})
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  const { fd } = (near as unknown as { _handle: { fd: number } })._handle
  return { fd, near, far }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()))
}

t.test('what is written and what has arrived', async (t) => {
  const { fd, near, far } = await pair(t)
  const id = sockets.follow(fd)
  t.ok(id > 0)
  t.same([sockets.written(id), sockets.acknowledged(id), sockets.hasArrived(id)], [0, 0, false])
  far.pause()
  near.write('the head')
  await eventually(() => sockets.acknowledged(id) === 8 || `${sockets.acknowledged(id)} of 8`)
  sockets.beginsAt(id, 8)
  t.equal(sockets.hasArrived(id), false, 'the head alone does not count')
  near.write('x')
  await eventually(() => sockets.hasArrived(id) || 'the first byte has not arrived')
  t.equal(sockets.written(id), 9)
  // More than its machine takes while nobody reads.
  near.write(Buffer.alloc(16 * 1024 * 1024))
  await eventually(() => sockets.written(id) > 1_000_000 || `${sockets.written(id)} are written`)
  t.ok(sockets.acknowledged(id) <= sockets.written(id))
  sockets.unfollow(id)
  t.same(
    [sockets.written(id), sockets.acknowledged(id), sockets.socketOf(id)],
    [0, 0, -1],
    'nothing is known of it any more',
  )
})

t.test('whether a client is here', async (t) => {
  const { fd, far } = await pair(t)
  t.equal(sockets.isHere(fd), true)
  far.resetAndDestroy()
  await eventually(() => !sockets.isHere(fd) || 'it is not seen to be gone')
})

t.test('what is abandoned is reset, and what has arrived is not', async (t) => {
  for (const hasArrived of [false, true]) {
    const { fd, near, far } = await pair(t)
    const id = sockets.follow(fd)
    near.write('x')
    await eventually(() => sockets.acknowledged(id) === 1 || 'nothing has arrived')
    sockets.beginsAt(id, hasArrived ? 0 : 1)
    const errors: string[] = []
    far.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code ?? ''))
    far.resume()
    sockets.abandon(id)
    t.equal(sockets.socketOf(id), -1, 'it is over')
    t.equal(sockets.hasArrived(id), hasArrived, 'what is known stays known')
    if (hasArrived) {
      near.end()
      await closed(far)
      t.same(errors, [])
    } else {
      await closed(far)
      t.same(errors, ['ECONNRESET'])
    }
    sockets.unfollow(id)
  }
})

t.test('wrong calls throw, and unknown numbers do no harm', async (t) => {
  for (const call of [
    () => (sockets.follow as (fd?: number) => number)(),
    () => sockets.follow(-1),
    () => sockets.beginsAt(1, -1),
    () => sockets.beginsAt(1, 'x' as unknown as number),
    () => (sockets.hasArrived as (id: unknown) => boolean)('1'),
  ])
    t.throws(call, TypeError)
  t.equal(sockets.follow(2 ** 20), 0, 'no socket')
  for (const id of [0, 63, 1_000_000]) {
    t.same([sockets.written(id), sockets.acknowledged(id), sockets.socketOf(id)], [0, 0, -1])
    t.equal(sockets.hasArrived(id), true)
    sockets.beginsAt(id, 5)
    sockets.abandon(id)
    sockets.unfollow(id)
  }
})

t.test('no connection is followed longer than somebody asks', async (t) => {
  const { fd } = await pair(t)
  const free = (): number[] => {
    const ids = Array.from({ length: 40 }, () => sockets.follow(fd))
    for (const id of ids.toReversed()) sockets.unfollow(id)
    return ids
  }
  const before = free()
  t.equal(new Set(before).size, 40)
  const gateway = await startGateway(t)
  const url = `${gateway.origin}/q?queue`
  for (let i = 0; i < 60; i++) {
    // One of HTTP/1.0 that goes as soon as it has asked looks like one that has closed its side with its request.
    const worker = curl(['-N', ...(i % 5 === 0 && i % 4 !== 3 ? ['-0'] : []), url])
    await gateway.holds(1, 0)
    // Whole, in the midst of it by either side, or for nobody.
    if (i % 4 === 0) {
      await curlDone(['-T', '-', url], { input: 'x'.repeat(i * 1000) })
    } else if (i % 4 === 1) {
      const sender = curl(['-N', '-T', '.', url])
      sender.stdin.write('a part')
      await worker.waitFor('a part')
      sender.kill()
    } else if (i % 4 === 2) {
      const sender = curl(['-N', '-T', '.', url])
      sender.stdin.write('a part')
      await worker.waitFor('a part')
      worker.kill()
      sender.stdin.end()
      await sender.result
    } else {
      worker.kill()
    }
    await worker.result
    await gateway.holds(0, 0)
  }
  await eventually(() => {
    const after = free()
    return Math.max(...after) <= Math.max(...before) || `${after} instead of ${before}`
  })
})
