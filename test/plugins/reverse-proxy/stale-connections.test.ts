/** Kept connections that an upstream closes while a request is on its way: what is sent again, and what is not. */

import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { connect } from '../../support/raw.js'
import { startProxy, startSocketUpstream } from '../../support/upstream.js'

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Answers the first request of each connection. What comes as the second of the first connection it does not answer. */
async function startForgetful(t: Test, until: (second: string) => boolean) {
  const seen: string[] = []
  const first = new Map<Socket, number>()
  let connections = 0
  const url = await startSocketUpstream(t, (text, socket) => {
    if (!first.has(socket)) first.set(socket, ++connections)
    const at = first.get(socket)!
    const head = text.indexOf('\r\n\r\n') + 4
    const [, length = '0'] = /content-length: (\d+)/i.exec(text.slice(0, head)) ?? []
    const whole = head + Number(length)
    const rest = text.slice(whole)
    if (text.length === whole) {
      seen.push(text)
      socket.write(ANSWER)
    } else if (at === 1 && rest.length > 0 && until(rest)) {
      seen.push(rest)
      socket.resetAndDestroy()
    }
  })
  return { url, seen }
}

/** Nothing is asked beside these requests, and a failure is not waited for. */
const ROUTE = { health: { interval: 600 }, timeouts: { response: 5 } }

const hasHead = (text: string) => text.includes('\r\n\r\n')
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4)

async function ask(origin: string, method: string, body?: string | Buffer, headers: Record<string, string> = {}) {
  const length = body === undefined ? {} : { 'Content-Length': body.length }
  const sent = request(`${origin}/x`, { method, headers: { ...headers, ...length }, agent: false })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const piece of answer) text += piece
  return `${answer.statusCode} ${answer.headers['x-pipe-code'] ?? text}`
}

const SMALL = 'b'.repeat(30_000)

for (const [what, method, body, headers, wanted, times] of [
  ['a GET', 'GET', undefined, {}, '200 ok', 2],
  ['a PUT of 30 KB', 'PUT', SMALL, {}, '200 ok', 2],
  ['a DELETE with a body', 'DELETE', SMALL, {}, '200 ok', 2],
  ['a POST with an Idempotency-Key', 'POST', SMALL, { 'Idempotency-Key': '"8e03978e"' }, '200 ok', 2],
  ['a POST without a body', 'POST', undefined, {}, '502 REVERSE_PROXY_RESET', 1],
  ['a POST of 30 KB', 'POST', SMALL, {}, '502 REVERSE_PROXY_RESET', 1],
  ['a PUT of 70 KB', 'PUT', 'b'.repeat(70_000), {}, '502 REVERSE_PROXY_RESET', 1],
] as const) {
  t.test(`${what} of which the upstream has read all, and that it has not answered`, async (t) => {
    const length = body === undefined ? 0 : body.length
    const { url, seen } = await startForgetful(t, (text) => hasHead(text) && bodyOf(text).length >= length)
    const gw = await startProxy(t, [{ upstreams: [url], ...ROUTE }])
    t.equal(await ask(gw.origin, 'GET'), '200 ok')
    t.equal(await ask(gw.origin, method, body, headers), wanted)
    const sent = seen.slice(1)
    t.equal(sent.length, times, 'how often it was sent')
    for (const each of sent) t.equal(bodyOf(each), body ?? '')
    await eventually(() => gw.gateway.slabs.heldBytes === 0 || `${gw.gateway.slabs.heldBytes} bytes are still held`)
  })
}

for (const method of ['PUT', 'POST']) {
  t.test(
    `a ${method} of which nothing but the head was sent, and whose body comes when it is sent again`,
    async (t) => {
      const { url, seen } = await startForgetful(t, hasHead)
      const gw = await startProxy(t, [{ upstreams: [url], ...ROUTE }])
      t.equal(await ask(gw.origin, 'GET'), '200 ok')
      const client = await connect({ port: gw.port })
      await client.send(`${method} /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000\r\n\r\n`)
      await eventually(() => seen.length === 2 || `the head has not come: ${client.text}`)
      await client.send(SMALL.slice(0, 10))
      await client.send(SMALL.slice(10))
      await eventually(() => client.text.endsWith('ok') || client.text.slice(-200) || 'nothing')
      t.equal(bodyOf(seen[2]!), SMALL)
      client.destroy()
    },
  )
}

t.test('an upload that goes on behind the start that was sent again', async (t) => {
  const { url, seen } = await startForgetful(t, (text) => bodyOf(text).length >= 10)
  const gw = await startProxy(t, [{ upstreams: [url], ...ROUTE }])
  t.equal(await ask(gw.origin, 'GET'), '200 ok')
  const body = Buffer.alloc(3_000_000, '0123456789')
  const client = await connect({ port: gw.port })
  await client.send(`PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n0123456789`)
  await eventually(() => seen.length === 2 || `nothing was lost: ${client.text}`)
  await client.send(body.subarray(10))
  await eventually(() => client.text.endsWith('ok') || client.text.slice(-200) || 'nothing')
  t.ok(bodyOf(seen[2]!) === `${body}`, 'the whole of it, in order')
  client.destroy()
})

for (const body of ['', SMALL]) {
  t.test(`a POST with ${body.length} bytes that arrives together with the end of a kept connection`, async (t) => {
    let last: Socket | undefined
    const url = await startSocketUpstream(t, (text, socket) => {
      const length = /content-length: (\d+)/i.exec(text)?.[1] ?? '0'
      if (!hasHead(text) || bodyOf(text).length < Number(length)) return
      last = socket
      socket.write(ANSWER)
    })
    const gw = await startProxy(t, [{ upstreams: [url], ...ROUTE }])
    const client = await connect({ port: gw.port })
    const answers = () => client.text.split('HTTP/1.1 200 OK').length - 1
    for (let i = 1; i <= 20; i++) {
      await eventually(() => !/HTTP\/1.1 5/.test(client.text) || client.text)
      // The request is looked at first, and the end that stands in the other socket is not known then.
      const sent = client.send(`POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      last?.destroySoon()
      await sent
      await eventually(() => answers() === i || `${answers()} of ${i}: ${client.text.slice(-200)}`)
    }
    t.equal(answers(), 20)
    client.destroy()
  })
}

/** On another thread: an upstream that closes each connection a moment after its last answer, and counts what it has been asked. */
const CLOSING = `
const { createServer } = require('node:http')
const { parentPort } = require('node:worker_threads')
const asked = new Map()
const server = createServer((request, response) => {
  let bytes = 0
  request.on('data', (piece) => { bytes += piece.length })
  request.on('end', () => {
    asked.set(request.url, (asked.get(request.url) ?? 0) + 1)
    response.end(String(bytes))
    const { socket } = request
    if (Math.random() < 0.5) setTimeout(() => socket.destroySoon(), Math.random() * 2)
  })
  request.on('error', () => {})
})
server.on('clientError', (_error, socket) => socket.destroy())
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
parentPort.on('message', () => parentPort.postMessage(Math.max(0, ...asked.values())))
`

const TURNS = 500

t.test('an upstream that closes idle connections at any moment', { timeout: 120_000 }, async (t) => {
  const worker = new Worker(CLOSING, { eval: true })
  t.teardown(() => worker.terminate())
  const [port] = (await once(worker, 'message')) as [number]
  const gw = await startProxy(t, [{ upstreams: [`http://127.0.0.1:${port}`], ...ROUTE }])
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const failures: Record<string, number> = {}
  const body = Buffer.alloc(5000, 'b')
  let id = 0
  for (const method of ['GET', 'PUT', 'POST']) {
    failures[method] = 0
    for (let i = 0; i < TURNS; i++) {
      const sent = request(`${gw.origin}/${method}/${id++}`, { method, agent })
      sent.end(method === 'GET' ? undefined : body)
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      answer.resume()
      await once(answer, 'end')
      if (answer.statusCode !== 200) failures[method]!++
      if (i % 2 === 0) await sleep(Math.random() * 2)
    }
  }
  worker.postMessage('how often at most')
  const [most] = (await once(worker, 'message')) as [number]
  t.comment(`of ${TURNS} each failed: ${JSON.stringify(failures)}; one was asked ${most} times at most`)
  t.same({ GET: failures.GET, PUT: failures.PUT }, { GET: 0, PUT: 0 })
  t.equal(most, 1, 'nothing was done twice')
})

t.test('a kept connection serves whatever host was asked for', async (t) => {
  const sockets = new Set<Socket>()
  const url = await startSocketUpstream(t, (text, socket) => {
    sockets.add(socket)
    if (text.endsWith('\r\n\r\n')) socket.write(ANSWER)
  })
  const gw = await startProxy(t, [{ upstreams: [url], ...ROUTE }])
  for (const host of ['one.test', 'two.test', 'localhost'])
    t.equal(await ask(gw.origin, 'GET', undefined, { Host: host }), '200 ok')
  t.equal(sockets.size, 1)
})
