/** What uWebSockets.js makes of a response: status, headers, lengths and framing. */

import type * as uws from 'uWebSockets.js'
import t from 'tap'
import { connect, parseResponse } from '../../support/raw.js'
import { Desk, head, serve } from '../app.js'
import { wire } from './http-requests.js'

t.jobs = 8

t.test('a string header value is written as UTF-8; a Latin-1 buffer keeps its bytes', async (t) => {
  const client = await wire(t, (res) => {
    res.writeHeader('X-String', 'a\xe9b')
    res.writeHeader('X-Bytes', Buffer.from('a\xe9b', 'latin1'))
    res.end('')
  })
  const { headers } = await client.waitForResponse()
  t.same(headers['x-string'], ['a\xc3\xa9b'])
  t.same(headers['x-bytes'], ['a\xe9b'])
})

t.test('writeHeader() does not filter line breaks: what it is given can add a header', async (t) => {
  const client = await wire(t, (res) => {
    res.writeHeader('X', 'a\r\nInjected: yes').end('')
  })
  t.same((await client.waitForResponse()).headers.injected, ['yes'])
})

t.test('writeStatus() after writeHeader() is ignored', async (t) => {
  const client = await wire(t, (res) => {
    res.writeHeader('X', 'a').writeStatus('400 Bad Request').end('')
  })
  t.equal((await client.waitForResponse()).status, 200)
})

t.test('HEAD: end() sends the body, which breaks the connection for the next answer', async (t) => {
  const client = await wire(t, (res) => res.end('body'), 'HEAD')
  await client.waitFor(/\r\n\r\nbody$/)
  t.match(client.text, /content-length: 4\r\n/i)
})

t.test(
  'HEAD: an own Content-Length and endWithoutBody() without a number is right, and the next request is answered',
  async (t) => {
    const served = await serve(t, (app) => {
      app.any('/*', (res, req) => {
        res.onAborted(() => {})
        if (req.getMethod() === 'head') res.writeHeader('Content-Length', '4').endWithoutBody()
        else res.end('next')
      })
    })
    const client = await connect(served)
    await client.send(head('HEAD', '/'))
    const first = await client.waitForResponse({ head: true })
    t.same(first.headers['content-length'], ['4'])
    await client.send(head('GET', '/'))
    t.equal((await client.waitForResponse({ from: first.end })).body.toString(), 'next')
    client.destroy()
  },
)

t.test('HEAD: endWithoutBody(n) sends one right head and ends the response', async (t) => {
  const client = await wire(t, (res) => res.endWithoutBody(4), 'HEAD')
  const first = await client.waitForResponse({ head: true })
  t.same(first.headers['content-length'], ['4'])
  await client.send(head('HEAD', '/next'))
  t.equal((await client.waitForResponse({ head: true, from: first.end })).status, 200, 'the next request is answered')
  client.destroy()
})

t.test(
  'end(), end(empty), tryEnd(empty, 0) and endWithoutBody(0) each send exactly one Content-Length: 0',
  async (t) => {
    const forms: Record<string, (res: uws.HttpResponse) => unknown> = {
      'end()': (res) => res.end(),
      "end('')": (res) => res.end(''),
      "tryEnd('', 0)": (res) => res.tryEnd('', 0),
      'endWithoutBody(0)': (res) => res.endWithoutBody(0),
      'own header and endWithoutBody()': (res) => res.writeHeader('Content-Length', '0').endWithoutBody(),
    }
    for (const [name, form] of Object.entries(forms)) {
      const client = await wire(t, form)
      t.same((await client.waitForResponse()).headers['content-length'], ['0'], name)
    }
  },
)

t.test('an own Content-Length together with end() or tryEnd() is sent twice', async (t) => {
  for (const form of [
    (res: uws.HttpResponse) => res.writeHeader('Content-Length', '2').end('ab'),
    (res: uws.HttpResponse) => res.writeHeader('Content-Length', '2').tryEnd('ab', 2),
  ]) {
    const client = await wire(t, form)
    await client.waitFor(/\r\n\r\nab$/)
    t.equal(client.text.match(/content-length: 2\r\n/gi)?.length, 2)
  }
})

t.test('endWithoutBody() without a number sends no Content-Length: the form for 204 and 304', async (t) => {
  const client = await wire(t, (res) => res.writeStatus('204 No Content').endWithoutBody())
  t.equal((await client.waitForResponse()).headers['content-length'], undefined)
  const wrong = await wire(t, (res) => res.writeStatus('204 No Content').end())
  t.same((await wrong.waitForResponse()).headers['content-length'], ['0'], 'end() sends one where none is allowed')
})

t.test('end(body, true) sends Connection: close and closes; an own Connection header does not close', async (t) => {
  const closing = await wire(t, (res) => res.end('body', true))
  await closing.waitForClose()
  t.same(parseResponse(closing.received).headers.connection, ['close'])
  t.equal(closing.endedCleanly, true)

  const own = await wire(t, (res) => res.writeHeader('Connection', 'close').end('body'))
  const first = await own.waitForResponse()
  await own.send(head('GET', '/'))
  t.equal((await own.waitForResponse({ from: first.end })).status, 200)
})

t.test('a chunked head is complete only with the first chunk; an empty write() does nothing', async (t) => {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler(() => {}),
    )
  })
  const client = await connect(served)
  await client.send(head('GET', '/'))
  const { res } = await desk.arrival('/')
  res.cork(() => {
    res.writeStatus('200 OK').writeHeader('X', 'y')
    res.write('')
  })
  await client.waitFor('X: y\r\n')
  t.notMatch(client.text, /\r\n\r\n/)
  res.cork(() => res.write('abc'))
  await client.waitFor('3\r\nabc')
  t.match(
    client.text,
    /transfer-encoding: chunked\r\n\r\n3\r\nabc$/i,
    'the line end of a chunk comes with the next one',
  )
  res.cork(() => res.write('de'))
  await client.waitFor(/3\r\nabc\r\n2\r\nde$/)
  res.cork(() => res.end())
  t.equal((await client.waitForResponse()).body.toString(), 'abcde')
  client.destroy()
})

t.test('tryEnd(empty, n) ends the response: no head leaves before the first byte of its body', async (t) => {
  let answer: [boolean, boolean] | undefined
  const client = await wire(t, (res) => {
    answer = res.tryEnd('', 3)
  })
  await client.waitFor('\r\n\r\n')
  t.same(answer, [true, true])
  t.match(client.text, /content-length: 3\r\n\r\n$/i)
  client.destroy()
})

t.test('tryEnd() does not check the total: too many bytes are all sent and the response stays open', async (t) => {
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
  let answer: [boolean, boolean] | undefined
  seen.res.cork(() => {
    answer = seen.res.tryEnd('abcdef', 3)
  })
  t.same(answer, [true, false])
  await client.waitFor('abcdef')
  client.destroy()
  await seen.untilAborted()
})

t.test('Expect: 100-continue is answered before the handler runs, whatever the handler answers', async (t) => {
  const served = await serve(t, (app) => {
    app.any('/*', (res) => {
      res.writeStatus('400 Bad Request').end('no')
    })
  })
  const client = await connect(served)
  await client.send(head('PUT', '/', 'Content-Length: 3', 'Expect: 100-continue'))
  await client.waitFor(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 400 /)
  client.destroy()
})
