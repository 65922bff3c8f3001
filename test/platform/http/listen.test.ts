/** Ports and connections of uWebSockets.js: how they open and close, and whose they are. */

import type { HttpResponse } from 'uWebSockets.js'
import { createServer } from 'node:net'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { connect } from '../../support/raw.js'
import { Desk, head, listen, listenAnywhere, serve, uws } from '../app.js'

t.jobs = 8

t.test('an exclusive listen gets false on a port that is taken, in both forms', async (t) => {
  const first = await serve(t, () => {})
  t.equal(await listen(uws.App(), '127.0.0.1', first.port), false)
  t.equal(await listenAnywhere(uws.App(), first.port), false)
  const foreign = createServer()
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  t.teardown(() => foreign.close())
  const address = foreign.address()
  t.ok(address !== null && typeof address === 'object')
  if (address === null || typeof address === 'string') return
  t.equal(await listen(uws.App(), '127.0.0.1', address.port), false)
  t.equal(await listenAnywhere(uws.App(), address.port), false)
})

t.test(
  'a default listen gets false on a port that is held exclusively, and a host that is not ours gives false',
  async (t) => {
    const first = await serve(t, () => {})
    const shared = await new Promise((resolve) => uws.App().listen('127.0.0.1', first.port, resolve))
    t.equal(shared, false)
    t.equal(await listen(uws.App(), '192.0.2.1', 0), false)
  },
)

t.test(
  'the remote address is dotted text, readable after the handler returned, and gone inside onAborted',
  async (t) => {
    let inHandler = ''
    let inAbort: unknown
    let response: HttpResponse | undefined
    const text = (res: HttpResponse) => Buffer.from(res.getRemoteAddressAsText()).toString()
    const served = await serve(t, (app) => {
      app.any('/*', (res) => {
        response = res
        inHandler = text(res)
        res.onAborted(() => {
          try {
            inAbort = text(res)
          } catch (error) {
            inAbort = error
          }
        })
      })
    })
    const client = await connect(served)
    await client.send(head('GET', '/'))
    await eventually(() => response !== undefined || 'the request did not arrive')
    t.equal(inHandler, '127.0.0.1')
    t.equal(text(response!), '127.0.0.1')
    client.destroy()
    await eventually(() => inAbort !== undefined || 'onAborted was not called')
    t.match(inAbort, /must not be accessed after/)
  },
)

t.test('app.close() closes every connection and runs onAborted', async (t) => {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler(() => {}),
    )
  })
  const client = await connect(served)
  await client.send(head('GET', '/'))
  const seen = await desk.arrival('/')
  served.close()
  t.equal(seen.aborted, true, 'at once')
  await client.waitForClose()
})
