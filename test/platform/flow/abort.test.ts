/** How uWebSockets.js reports that a connection is over: onAborted, after close() and when the client goes. */

import type { HttpResponse } from 'uWebSockets.js'
import t from 'tap'
import { connect, type RawClient } from '../../support/raw.js'
import { head, pattern, type Seen } from '../app.js'
import { hold, stalled } from './held-responses.js'

const MIB = 1024 * 1024
// More than the kernel holds for a receiver that does not read: about 4 MiB on loopback.
const LARGE = pattern(16 * MIB)

t.jobs = 4

t.test(
  'close() runs onAborted before it returns, from every place, and nothing is called on that response again',
  async (t) => {
    const places: Record<string, (seen: Seen, run: () => void) => void> = {
      handler: (_seen, run) => run(),
      immediate: (_seen, run) => setImmediate(run),
      'own cork': ({ res }, run) => setImmediate(() => res.cork(run)),
      'own cork, after a write': ({ res }, run) =>
        setImmediate(() =>
          res.cork(() => {
            res.write('lost')
            run()
          }),
        ),
      'first onData': (seen, run) => {
        seen.read(() => run())
      },
      'onData with bytes': (seen, run) => {
        seen.read((chunk) => {
          if (chunk.byteLength > 0) run()
        })
      },
      onWritable: ({ res }, run) => {
        res.onWritable(() => {
          run()
          return true
        })
        setImmediate(() => res.cork(() => res.tryEnd(LARGE, LARGE.length)))
      },
    }
    for (const [name, arrange] of Object.entries(places)) {
      let runs = 0
      let abortedInside = false
      const { served, desk } = await hold(t, (seen) => {
        arrange(seen, () => {
          runs++
          seen.res.close()
          abortedInside = seen.aborted
        })
      })
      const client = await connect({ port: served.port, keep: false })
      await client.send(`${head('PUT', '/', 'Content-Length: 100')}`)
      await client.send('abc')
      const seen = await desk.arrival('/')
      await seen.untilAborted()
      await client.waitForClose()
      t.same([runs, abortedInside], [1, true], name)
      t.throws(() => seen.res.write('x'), /must not be accessed after/)
      if (name === 'own cork, after a write') t.equal(client.receivedBytes, 0, 'what the cork held is lost')
    }
  },
)

t.test('a client that sends FIN after its request is aborted at once: half-closing is not supported', async (t) => {
  const { served, desk } = await hold(t, (seen) => seen.read())
  const requests: Record<string, string> = {
    '/get': head('GET', '/get'),
    '/sized': `${head('PUT', '/sized', 'Content-Length: 3')}abc`,
    '/chunked': `${head('PUT', '/chunked', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
  }
  for (const [path, request] of Object.entries(requests)) {
    const client = await connect(served)
    await client.send(request)
    const seen = await desk.arrival(path)
    await seen.untilLast()
    client.halfClose()
    await seen.untilAborted(2_000)
    await client.waitForClose()
    t.equal(client.receivedBytes, 0, path)
  }
})

t.test('a FIN during a download aborts it at once, even when the client could still read', async (t) => {
  const { served, desk } = await hold(t)
  for (const [path, start] of [
    ['/sized', (res: HttpResponse) => res.tryEnd(LARGE, LARGE.length)],
    ['/chunked', (res: HttpResponse) => res.write(LARGE)],
  ] as const) {
    const client = await stalled(t, served, head('GET', path))
    const seen = await desk.arrival(path)
    seen.res.onWritable(() => true)
    seen.res.cork(() => start(seen.res))
    client.halfClose()
    await seen.untilAborted(2_000)
    client.resume()
    await client.waitForClose()
    t.ok(client.receivedBytes < LARGE.length, `${client.receivedBytes} bytes arrived`)
  }
})

t.test('once its whole body was read, the death of a sender is seen at once', async (t) => {
  const { served, desk } = await hold(t, (seen) => seen.read())
  for (const [path, leave] of [
    ['/fin', (client: RawClient) => client.destroy()],
    ['/rst', (client: RawClient) => client.reset()],
  ] as const) {
    const client = await connect(served)
    await client.send(`${head('PUT', path, 'Content-Length: 3')}abc`)
    const seen = await desk.arrival(path)
    await seen.untilLast()
    leave(client)
    await seen.untilAborted(2_000)
  }
  t.pass('both were reported')
})
