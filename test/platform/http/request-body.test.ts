/** How uWebSockets.js reads the body of a request: its framing, and the calls of onData. */

import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { connect } from '../../support/raw.js'
import { chunk, Desk, head, LAST_CHUNK, Seen, serve } from '../app.js'
import { refusal, tellServer, told } from './http-requests.js'

t.jobs = 8

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
