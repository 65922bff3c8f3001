/** What plugins do with a reply, and what their clients do. */

import t from 'tap'
import { type Reply, textAnswer } from '../../../gateway/host/plugin-api.js'
import { curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { connect, parseResponse } from '../../support/raw.js'
import { start } from './careless.js'

t.test('a reply takes nothing that would break the response', async (t) => {
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle({ query }, reply) {
          if (query === 'give') reply.give({ status: 200 } as never)
          if (query === 'header') reply.open(200, [['X-A', 'a\r\nX-Evil: 1']])
          if (query === 'status') reply.open(1, [])
          if (query === 'text') {
            reply.open(200, [])
            reply.write('begun')
            setTimeout(() => reply.write(5 as never), 50)
          }
          if (query === 'twice') {
            t.ok(reply.give(textAnswer(200, 'once\n')))
            t.notOk(reply.give(textAnswer(200, 'twice\n')))
            t.notOk(reply.open(200, []) || reply.write('twice') || reply.close())
          }
          if (query === '304') reply.give({ status: 304, headers: [], body: 'nothing' })
        },
      },
    ],
  }))
  for (const query of ['give', 'header', 'status']) {
    const { stdout } = await curlDone(['-i', gateway.url(`own?${query}`)])
    t.match(stdout.toString(), /^HTTP\/1.1 500 [\s\S]*X-Pipe-Code: PLUGIN_FAULT/i, query)
    t.notMatch(stdout.toString(), /evil/i)
  }
  const cut = await curlDone([gateway.url('own?text')])
  t.not(cut.code, 0, 'a response that fails on its way is cut')
  t.equal(cut.stdout.toString(), 'begun')
  t.equal((await curlDone([gateway.url('own?twice')])).stdout.toString(), 'once\n')
  const client = await connect({ port: gateway.port })
  await client.send('GET /api/v1/pipe/own?304 HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('\r\n\r\n')
  await client.send('GET /api/v1/pipe/own?twice HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('once')
  t.match(client.text, /^HTTP\/1.1 304 (?:(?!content-length)[\s\S])*?\r\n\r\nHTTP\/1.1 200 /i, 'a 304 has no body')
  client.destroy()
  const faults = gateway.lines.filter((line) => line.plugin === 'careless' && line.hook === '/own')
  t.equal(faults.length, 4, 'each is logged with the plugin that did it')
})

t.test('a HEAD of a stream has no body, and the connection goes on', async (t) => {
  const over: string[] = []
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(request, reply, context) {
          const { method } = request
          reply.open(200, [['X-A', 'a']])
          context.onOver(() => over.push(method))
          reply.write('some text')
          setImmediate(() => reply.close())
        },
      },
    ],
  }))
  const client = await connect({ port: gateway.port })
  await client.send('HEAD /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('\r\n\r\n')
  await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('0\r\n\r\n')
  const head = parseResponse(client.received, { head: true })
  const get = parseResponse(client.received.subarray(head.end))
  t.same([head.status, head.headers['x-a'], get.body.toString()], [200, ['a'], 'some text'])
  t.same(over, ['HEAD', 'GET'])
  client.destroy()
})

t.test(
  'a plugin that goes on writing to a client that does not read is cut, before it uses up the memory',
  async (t) => {
    let kept = 0
    let over = false
    const gateway = await start(t, () => ({
      routes: [
        {
          method: 'GET',
          path: '/own',
          handle(_request, reply, context) {
            reply.open(200, [])
            const timer = setInterval(() => {
              for (let i = 0; i < 16; i++) reply.write('x'.repeat(65_536))
              kept = Math.max(kept, reply.kept)
            }, 1)
            context.onOver(() => {
              clearInterval(timer)
              over = true
            })
          },
        },
      ],
    }))
    const client = await connect({ port: gateway.port, keep: false })
    await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
    client.pause()
    await eventually(() => over || `it keeps ${kept} bytes`, { timeoutMs: 30_000 })
    t.ok(kept <= 16 * 1024 * 1024, `${kept} bytes`)
    await eventually(
      () =>
        gateway.lines.some(({ err }) => /does not read/.test(String((err as Error | undefined)?.message))) || 'no line',
    )
    client.destroy()
  },
)

t.test(
  'a plugin that stops writing when it is told to hears when there is room, and nothing is kept then',
  async (t) => {
    const most = 64 * 1024 * 1024
    let written = 0
    let kept = 0
    let drained = 0
    let isEnough = false
    const gateway = await start(t, () => ({
      routes: [
        {
          method: 'GET',
          path: '/own',
          handle(_request, reply) {
            const more = () => {
              isEnough = false
              while (!isEnough && written < most) {
                isEnough = !reply.write('x'.repeat(65_536))
                written += 65_536
              }
              kept = reply.kept
              if (written >= most) reply.close()
            }
            reply.open(200, [])
            reply.onDrain(() => {
              drained++
              kept = reply.kept
              more()
            })
            more()
          },
        },
      ],
    }))
    const client = await connect({ port: gateway.port, keep: false })
    client.pause()
    await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
    let before = -1
    // What a kernel takes for somebody who does not read comes to an end.
    await eventually(
      () => {
        if (isEnough && written === before) return true
        before = written
        return `${written} bytes are written`
      },
      { everyMs: 200, timeoutMs: 30_000 },
    )
    t.ok(written < most, `${written} bytes`)
    t.ok(kept > 0 && kept < 1024 * 1024, `${kept} bytes are kept`)
    const drainedBefore = drained
    client.resume()
    await eventually(() => client.receivedBytes > most || `${client.receivedBytes} bytes arrived`, {
      timeoutMs: 60_000,
    })
    t.ok(drained > drainedBefore)
    client.destroy()
  },
)

t.test('what a client sends in the middle of a stream is answered behind it', async (t) => {
  let stream: Reply
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(_request, reply) {
          stream = reply
          reply.open(200, [])
          reply.write('one ')
        },
      },
    ],
  }))
  const client = await connect({ port: gateway.port })
  await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('one ')
  await client.send('\x01 is no request\r\n\r\n')
  // The gateway has read it when it has answered somebody who asked later.
  await curlDone([gateway.url('health')])
  t.notMatch(client.text, /400|Bad Request/)
  stream!.write('two')
  stream!.close()
  await client.waitForClose()
  t.match(client.text, /one [\s\S]*two\r\n0\r\n\r\nHTTP\/1\.1 400 /)
})

t.test('a large stream arrives as it was written, at whatever speed it is read', async (t) => {
  const text = Array.from({ length: 40_000 }, (_, i) => `${i} äöü€ lines of a stream\n`).join('')
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(_request, reply) {
          reply.open(200, [])
          let at = 0
          const more = () => {
            while (at < text.length) {
              at += 50_000
              if (!reply.write(text.slice(at - 50_000, at)) && at < text.length) return
            }
            reply.close()
          }
          reply.onDrain(more)
          more()
        },
      },
    ],
  }))
  for (const limit of [[], ['--limit-rate', '1M']]) {
    const { stdout, code } = await curlDone([...limit, gateway.url('own')])
    t.equal(code, 0)
    t.ok(stdout.toString() === text, `${stdout.length} bytes`)
  }
})
