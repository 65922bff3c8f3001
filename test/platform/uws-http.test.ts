/** What uWebSockets.js makes of HTTP: what it refuses, what it accepts although it is wrong, and what it sends. */

import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { createServer } from 'node:net'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { connect, parseResponse, type RawClient, type RawResponse } from '../support/raw.js'
import {
  chunk,
  Desk,
  head,
  LAST_CHUNK,
  listen,
  listenAnywhere,
  Seen,
  type Served,
  serve,
  type Tidy,
  uws,
} from './app.js'

interface Told {
  readonly methodFirst: string
  readonly method: string
  readonly methodAfterwards: string
  readonly url: string
  readonly query: string | undefined
  readonly queryX: string | undefined
  readonly headerX: string
  readonly headers: (readonly [string, string])[]
  readonly body: string
}

/** Answers with what the handler was told, as JSON, after the whole body came. */
function tellServer(t: Tidy): Promise<Served> {
  return serve(t, (app) => {
    app.any('/*', (res, req) => {
      const headers: (readonly [string, string])[] = []
      req.forEach((name, value) => {
        headers.push([name, value])
      })
      const told = {
        methodFirst: req.getCaseSensitiveMethod(),
        method: req.getMethod(),
        methodAfterwards: req.getCaseSensitiveMethod(),
        url: req.getUrl(),
        query: req.getQuery(),
        queryX: req.getQuery('x'),
        headerX: req.getHeader('x'),
        headers,
      }
      let body = ''
      new Seen(res).read((chunk, last) => {
        body += Buffer.from(chunk).toString('latin1')
        if (last) res.end(JSON.stringify({ ...told, body }))
      })
    })
  })
}

async function exchange(served: Served, request: string, options: { head?: boolean } = {}): Promise<RawResponse> {
  const client = await connect(served)
  await client.send(request)
  const response = await client.waitForResponse(options)
  client.destroy()
  return response
}

async function told(served: Served, request: string): Promise<Told> {
  return JSON.parse((await exchange(served, request)).body.toString('utf8'))
}

/** Sends a request that uWebSockets refuses by itself, and waits for the close that must follow. */
async function refusal(served: Served, request: string): Promise<number> {
  const client = await connect(served)
  await client.send(request)
  await client.waitForClose()
  return parseResponse(client.received).status
}

/** What a handler that answers at once puts on the wire. */
async function wire(t: Tidy, answer: (res: HttpResponse) => void, method = 'GET'): Promise<RawClient> {
  const served = await serve(t, (app) => {
    app.any('/*', (res) => {
      res.onAborted(() => {})
      answer(res)
    })
  })
  const client = await connect(served)
  t.teardown(() => client.destroy())
  await client.send(head(method, '/'))
  await client.waitFor('HTTP/1.1')
  return client
}

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

t.test('an empty Content-Length counts as zero', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('PUT', '/', 'Content-Length: '))).body, '')
})

t.test('any Transfer-Encoding value is read as chunked', async (t) => {
  const served = await tellServer(t)
  const seen = await told(served, `${head('PUT', '/', 'Transfer-Encoding: gzip')}3\r\nabc\r\n${LAST_CHUNK}`)
  t.equal(seen.body, 'abc')
})

t.test(
  'a chunk extension is misread as a part of the size: wrong bytes are delivered and the end never comes',
  async (t) => {
    const desk = new Desk()
    let body = ''
    const served = await serve(t, (app) => {
      app.any(
        '/*',
        desk.handler((seen) =>
          seen.read((chunk) => {
            body += Buffer.from(chunk).toString('latin1')
          }),
        ),
      )
    })
    const client = await connect(served)
    await client.send(`${head('PUT', '/', 'Transfer-Encoding: chunked')}3;a=b\r\nabc\r\n${LAST_CHUNK}`)
    const seen = await desk.arrival('/')
    await seen.untilBytes(10)
    t.equal(body, `abc\r\n${LAST_CHUNK}`)
    t.equal(seen.last, false)
    client.destroy()
    await seen.untilAborted()
  },
)

t.test(
  'chunked trailers: the body and its end are delivered, then the answer is replaced by 505 and a close',
  async (t) => {
    const desk = new Desk()
    const served = await serve(t, (app) => {
      app.any(
        '/*',
        desk.handler((seen) => seen.read()),
      )
    })
    const request = `${head('PUT', '/', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\nX-Trailer: v\r\n\r\n`
    t.equal(await refusal(served, request), 505)
    const seen = await desk.arrival('/')
    t.same(seen.calls, [
      [3, false],
      [0, true],
    ])
    t.equal(seen.aborted, true)
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

t.test('a PUT without any length has an empty body that ends at once', async (t) => {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler((seen) => seen.read()),
    )
  })
  const client = await connect(served)
  await client.send(head('PUT', '/'))
  const seen = await desk.arrival('/')
  await seen.untilLast()
  t.same(seen.calls, [[0, true]])
  client.destroy()
})

t.test('a GET may have a body', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, `${head('GET', '/', 'Content-Length: 3')}abc`)).body, 'abc')
})

t.test(
  'unknown methods reach any(); without any() they are answered 404 on a connection that stays open',
  async (t) => {
    t.equal((await told(await tellServer(t), head('PROPFIND', '/'))).methodFirst, 'PROPFIND')
    const served = await serve(t, (app) => {
      app.get('/here', (res) => {
        res.end('here')
      })
    })
    const client = await connect(served)
    await client.send(head('PROPFIND', '/here'))
    await client.waitFor('404')
    // uWebSockets sends its 404 with a body and its length, so that the next answer has a place to start at.
    const missing = await client.waitForResponse()
    t.equal(missing.status, 404)
    await client.send(head('GET', '/here'))
    t.equal((await client.waitForResponse({ from: missing.end })).body.toString(), 'here')
    client.destroy()
  },
)

t.test('the method is given as it was written, unless getMethod() was called before', async (t) => {
  const served = await tellServer(t)
  const upper = await told(served, head('PUT', '/', 'Content-Length: 0'))
  t.equal(upper.methodFirst, 'PUT')
  t.equal(upper.method, 'put')
  t.equal(upper.methodAfterwards, 'put', 'getMethod() overwrote it in place')
  t.equal((await told(served, head('pUt', '/', 'Content-Length: 0'))).methodFirst, 'pUt')
})

t.test('the request object throws after the handler returned', async (t) => {
  let request: HttpRequest | undefined
  const served = await serve(t, (app) => {
    app.any('/*', (res, req) => {
      request = req
      res.end('done')
    })
  })
  await exchange(served, head('GET', '/'))
  t.throws(() => request?.getUrl(), /must not be accessed after/)
  t.throws(() => request?.getHeader('host'), /must not be accessed after/)
})

t.test('getUrl() is raw: percent-encoding, dots and doubled slashes stay, the query is cut off', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/a%2Fb/../c//d/%zz?q'))).url, '/a%2Fb/../c//d/%zz')
})

t.test('raw bytes in the path are decoded as UTF-8, and those that are none become U+FFFD', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/\xc3\xa9'))).url, '/é')
  t.equal((await told(served, head('GET', '/\xe9z'))).url, '/\ufffdz')
})

t.test('getQuery() is the raw text, undefined without a question mark and empty after a bare one', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/a?x=%20+&y=%zz'))).query, 'x=%20+&y=%zz')
  t.equal((await told(served, head('GET', '/a?'))).query, '')
  t.equal((await told(served, head('GET', '/a'))).query, undefined)
})

t.test('getQuery(key) cannot tell a bare key from an absent one', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/a?x'))).queryX, undefined)
  t.equal((await told(served, head('GET', '/a?y'))).queryX, undefined)
  t.equal((await told(served, head('GET', '/a?x='))).queryX, '')
})

t.test('header values come as one character per byte, and bytes from 0x80 on are stripped at both ends', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/', 'X: a\xc3\xa9b'))).headerX, 'a\xc3\xa9b')
  t.equal((await told(served, head('GET', '/', 'X: \xc3\xa9b'))).headerX, 'b')
  t.equal((await told(served, head('GET', '/', 'X: a\xc3\xa9'))).headerX, 'a')
})

t.test(
  'of a repeated header getHeader() gives the first value and forEach() gives all, with names in lower case',
  async (t) => {
    const served = await tellServer(t)
    const seen = await told(served, head('GET', '/', 'X: one', 'x: two'))
    t.equal(seen.headerX, 'one')
    t.same(seen.headers.slice(1), [
      ['x', 'one'],
      ['x', 'two'],
    ])
  },
)

t.test('an absent and an empty header are both the empty string', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/'))).headerX, '')
  t.equal((await told(served, head('GET', '/', 'X:'))).headerX, '')
})

t.test('a raw tab and bytes from 0x7f on pass inside a value; a tab at an end is stripped', async (t) => {
  const served = await tellServer(t)
  t.equal((await told(served, head('GET', '/', 'X: a\tb'))).headerX, 'a\tb')
  t.equal((await told(served, head('GET', '/', 'X: \ta\t'))).headerX, 'a')
  t.equal((await told(served, head('GET', '/', 'X: a\x7f\xffb'))).headerX, 'a\x7f\xffb')
})

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
    const forms: Record<string, (res: HttpResponse) => unknown> = {
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
    (res: HttpResponse) => res.writeHeader('Content-Length', '2').end('ab'),
    (res: HttpResponse) => res.writeHeader('Content-Length', '2').tryEnd('ab', 2),
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

t.test('each chunk of a chunked sender is one onData call, and the end is an empty call of its own', async (t) => {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler((seen) => seen.read()),
    )
  })
  const client = await connect(served)
  await client.send(
    Buffer.concat([Buffer.from(head('PUT', '/', 'Transfer-Encoding: chunked')), chunk('abc'), chunk('de')]),
  )
  const seen = await desk.arrival('/')
  await seen.untilBytes(5)
  await client.send(LAST_CHUNK)
  await seen.untilLast()
  t.same(seen.calls, [
    [3, false],
    [2, false],
    [0, true],
  ])
  client.destroy()
})

t.test(
  'a head with Content-Length that came alone is followed by an empty onData call; `last` comes with the last bytes',
  async (t) => {
    const desk = new Desk()
    const served = await serve(t, (app) => {
      app.any(
        '/*',
        desk.handler((seen) => seen.read()),
      )
    })
    const client = await connect(served)
    await client.send(head('PUT', '/alone', 'Content-Length: 3'))
    const seen = await desk.arrival('/alone')
    t.same(seen.calls, [[0, false]])
    await client.send('abc')
    await seen.untilLast()
    t.same(seen.calls, [
      [0, false],
      [3, true],
    ])
    client.destroy()

    const together = await connect(served)
    await together.send(`${head('PUT', '/together', 'Content-Length: 3')}abc`)
    const whole = await desk.arrival('/together')
    await whole.untilLast()
    t.same(whole.calls, [[3, true]], 'no empty call when the body came with the head')
    together.destroy()
  },
)

t.test('a head with Transfer-Encoding that came alone is followed by no onData call at all', async (t) => {
  const desk = new Desk()
  const served = await serve(t, (app) => {
    app.any(
      '/*',
      desk.handler((seen) => seen.read()),
    )
  })
  const client = await connect(served)
  await client.send(head('PUT', '/', 'Transfer-Encoding: chunked'))
  const seen = await desk.arrival('/')
  t.same(seen.calls, [])
  await client.send(chunk('abc'))
  await seen.untilBytes(3)
  t.same(seen.calls, [[3, false]])
  client.destroy()
})

t.test('the chunk of onData is detached when onData returns', async (t) => {
  const kept: { chunk: ArrayBuffer; view: Uint8Array; inside: number; microtask: number }[] = []
  const served = await serve(t, (app) => {
    app.any('/*', (res) => {
      new Seen(res).read((chunk) => {
        const entry = { chunk, view: new Uint8Array(chunk), inside: chunk.byteLength, microtask: -1 }
        kept.push(entry)
        queueMicrotask(() => {
          entry.microtask = entry.view.byteLength
        })
      })
    })
  })
  const client = await connect(served)
  await client.send(`${head('PUT', '/', 'Content-Length: 10')}abc`)
  await eventually(() => kept.length === 1 || 'onData was not called')
  const [first] = kept
  t.equal(first?.inside, 3)
  t.equal(first?.chunk.byteLength, 0)
  t.equal(first?.view.byteLength, 0)
  t.equal(first?.microtask, 3, 'a microtask still runs before that')
  client.destroy()
})
