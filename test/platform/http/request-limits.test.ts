/** Which requests uWebSockets.js refuses or cuts by itself, and which of them it should not have accepted. */

import t from 'tap'
import { connect, parseResponse } from '../../support/raw.js'
import { Desk, head, LAST_CHUNK, serve } from '../app.js'
import { exchange, refusal, tellServer, told } from './http-requests.js'

t.jobs = 8

t.test(
  'the request line and the headers may be 4096 bytes by default; 5000 are answered 431 and a close',
  async (t) => {
    const served = await tellServer(t)
    const sized = (size: number) => {
      const empty = head('GET', '/', 'X: ')
      return head('GET', '/', `X: ${'p'.repeat(size - empty.length)}`)
    }
    t.equal((await exchange(served, sized(4000))).status, 200)
    t.equal(await refusal(served, sized(5000)), 431)
    t.equal(await refusal(served, head('GET', `/${'u'.repeat(5000)}`)), 431, 'the path counts in the same limit')
  },
)

t.test('98 header lines are accepted and 99 are answered 431', async (t) => {
  const served = await tellServer(t)
  const lines = (count: number) => head('GET', '/', ...Array.from({ length: count - 1 }, (_, i) => `X-${i}: v`))
  t.equal((await told(served, lines(98))).headers.length, 98)
  t.equal(await refusal(served, lines(99)), 431)
})

t.test('HTTP/1.0, an absolute URL and OPTIONS * are answered 505 and a close', async (t) => {
  const served = await tellServer(t)
  t.equal(await refusal(served, 'GET / HTTP/1.0\r\nHost: test\r\n\r\n'), 505)
  t.equal(await refusal(served, head('GET', 'http://test/')), 505)
  t.equal(await refusal(served, head('OPTIONS', '*')), 505)
})

t.test('a request without Host is answered 400', async (t) => {
  const served = await tellServer(t)
  t.equal(await refusal(served, 'GET / HTTP/1.1\r\nX: y\r\n\r\n'), 400)
})

t.test('two different Content-Length headers reach the handler, and the first decides', async (t) => {
  const served = await tellServer(t)
  const seen = await told(served, `${head('PUT', '/', 'Content-Length: 3', 'Content-Length: 5')}abc`)
  t.equal(seen.body, 'abc')
  t.same(seen.headers.slice(1), [
    ['content-length', '3'],
    ['content-length', '5'],
  ])
})

t.test('Content-Length together with Transfer-Encoding is answered 400 before the handler runs', async (t) => {
  const desk = new Desk()
  let handled = 0
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler(() => handled++),
    )
  })
  const request = `${head('PUT', '/', 'Content-Length: 3', 'Transfer-Encoding: chunked')}3\r\nabc\r\n${LAST_CHUNK}`
  t.equal(await refusal(served, request), 400)
  t.equal(handled, 0)
})

t.test(
  'a Content-Length that is no number is answered 400 only after the handler ran, and the handler is told',
  async (t) => {
    for (const value of ['+3', '-1', '3x']) {
      const desk = new Desk()
      const served = await serve(t, (app) => {
        app.any(
          '/*',
          desk.handler((seen) => seen.read()),
        )
      })
      t.equal(await refusal(served, `${head('PUT', '/', `Content-Length: ${value}`)}abc`), 400)
      const seen = await desk.arrival('/')
      await seen.untilAborted()
      t.same(seen.calls, [], 'no byte was delivered')
    }
  },
)

t.test('a second request while the first is pending closes the connection and aborts the first', async (t) => {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler(() => {}),
    )
  })
  const client = await connect(served)
  await client.send(head('GET', '/first'))
  const first = await desk.arrival('/first')
  await client.send(head('GET', '/second'))
  await first.untilAborted()
  await client.waitForClose()
  t.equal(client.receivedBytes, 0)
})

t.test(
  'a second request during a download closes the connection too, but only once its head is complete',
  async (t) => {
    const desk = new Desk()
    const served = await serve(t, (app) => {
      app.any(
        '/*',
        desk.handler((seen) => seen.res.write('some')),
      )
    })
    const client = await connect(served)
    await client.send(head('GET', '/'))
    await client.waitFor('some')
    const seen = await desk.arrival('/')
    await client.send('GET /next HTTP/1.1\r\nHo')
    seen.res.cork(() => seen.res.write('more'))
    await client.waitFor('more')
    t.equal(seen.aborted, false, 'a part of a head is kept and does no harm yet')
    await client.send('st: test\r\n\r\n')
    await seen.untilAborted()
    await client.waitForClose()
  },
)

t.test('a request line that is cut waits for the rest, inside its version too', async (t) => {
  const served = await tellServer(t)
  for (const cut of ['GET /pa', 'GET /path ', 'GET /path HT', 'GET /path HTTP/1.1', 'GET /path HTTP/1.1\r\nHo']) {
    const client = await connect(served)
    await client.send(cut)
    await client.send('GET /path HTTP/1.1\r\nHost: test\r\n\r\n'.slice(cut.length))
    t.equal((await client.waitForResponse()).status, 200, cut)
    client.destroy()
  }
})

t.test('the 505 page for what a receiver sends during its download is written into that download', async (t) => {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler((seen) => seen.res.tryEnd('some', 1000)),
    )
  })
  const client = await connect(served)
  await client.send(head('GET', '/'))
  await client.waitFor('some')
  await client.send('GET /next HTTP/1.0\r\n\r\n')
  await (await desk.arrival('/')).untilAborted()
  await client.waitForClose()
  const response = parseResponse(client.received)
  t.match(response.body.toString(), /^someHTTP\/1\.1 505 /)
  t.equal(response.complete, false)
})

t.test('requests that came together are answered one after the other when the handler answers at once', async (t) => {
  const served = await serve(t, (app) => {
    app.any('/*', (res, req) => {
      res.end(req.getUrl())
    })
  })
  const client = await connect(served)
  await client.send(head('GET', '/one') + head('GET', '/two'))
  const first = await client.waitForResponse()
  const second = await client.waitForResponse({ from: first.end })
  t.equal(first.body.toString(), '/one')
  t.equal(second.body.toString(), '/two')
  client.destroy()
})
