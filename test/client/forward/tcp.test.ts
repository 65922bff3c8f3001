/** What a TCP connection is, through a name. */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { startProgram } from '../../support/program.js'
import { client, Forward, startPair, startService } from './rig.js'

t.setTimeout(120_000)

const gateway = await startProgram(t)
const server = new URL(gateway.base).origin

t.test('bytes come back from an echo as they were, and each side tells of it', async (t) => {
  const target = await startService(t, (socket) => socket.pipe(socket))
  const { port, listener, connector } = await startPair(t, { server, target: `${target}`, name: 'echo' })
  const bytes = randomBytes(5_000_000)
  const peer = client(t, port)
  peer.socket.end(bytes)
  t.equal(await peer.ended, 'end')
  t.ok(peer.read.equals(bytes))
  for (const side of [listener, connector]) {
    const closed = await side.tells('closed')
    t.match(closed, { connection: 1, sent: bytes.length, received: bytes.length })
    t.equal(side.news('cut').length, 0)
  }
})

t.test('a key that is pressed comes back before the next one is', async (t) => {
  const target = await startService(t, (socket) => socket.pipe(socket))
  const { port } = await startPair(t, { server, target: `${target}`, name: 'keys' })
  const peer = client(t, port)
  for (let key = 1; key <= 200; key++) {
    peer.socket.write('k')
    await eventually(() => peer.bytes === key || `${peer.bytes} of ${key}`, { everyMs: 0 })
  }
  t.equal(peer.bytes, 200)
})

t.test('the end of one direction is the end of that direction', async (t) => {
  const target = await startService(t, (socket) => {
    let asked = ''
    socket.on('data', (chunk) => {
      asked += chunk
    })
    // Answers what has been asked to its end, as `nc -N` asks.
    socket.on('end', () => socket.end(`you said: ${asked}`))
  })
  const { port } = await startPair(t, { server, target: `${target}`, name: 'asks' })
  const asking = client(t, port)
  asking.socket.end('hello')
  t.equal(await asking.ended, 'end')
  t.equal(asking.read.toString(), 'you said: hello')

  const late = await startService(t, (socket) => {
    const said: Buffer[] = []
    socket.on('data', (chunk) => said.push(chunk)).on('end', () => t.equal(Buffer.concat(said).toString(), 'after it'))
    // It has said all that it will, and listens.
    socket.end('the first word')
  })
  const other = await startPair(t, { server, target: `${late}`, name: 'says' })
  const listening = client(t, other.port)
  t.equal(await listening.ended, 'end')
  t.equal(listening.read.toString(), 'the first word')
  listening.socket.end('after it')
  await other.listener.tells('closed')
  await other.connector.tells('closed')
})

t.test('fifty connections at once to an HTTP server, each of them kept for several requests', async (t) => {
  const body = randomBytes(20_000)
  const web = http.createServer((request, response) => {
    response.setHeader('x-path', request.url!)
    request.resume().on('end', () => response.end(body))
  })
  const target = await listenOnLoopback(web)
  t.teardown(() => {
    web.closeAllConnections()
    web.close()
  })
  const { port, listener } = await startPair(t, { server, target: `${target}`, name: 'web' })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 50 })
  t.teardown(() => agent.destroy())
  const ask = (path: string) =>
    new Promise<boolean>((resolve, reject) => {
      const request = http.request({ port, host: '127.0.0.1', path, agent, method: 'POST' }, async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        resolve(response.headers['x-path'] === path && Buffer.concat(chunks).equals(body))
      })
      request.on('error', reject).end(randomBytes(10_000))
    })
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(`/${i}`)))
  t.ok(answers.every(Boolean))
  t.equal(listener.news('opened').length, 50)
})

t.test('bursts, small and large, both ways at the same time', async (t) => {
  const [down, up] = [tape(400), tape(400)]
  let heard: Buffer | undefined
  const target = await startService(t, async (socket) => {
    const chunks: Buffer[] = []
    socket
      .on('data', (chunk) => chunks.push(chunk))
      .on('end', () => {
        heard = Buffer.concat(chunks)
      })
    for (const piece of down) if (!socket.write(piece)) await new Promise((go) => socket.once('drain', go))
    socket.end()
  })
  const { port } = await startPair(t, { server, target: `${target}`, name: 'screen' })
  const peer = client(t, port)
  for (const piece of up) if (!peer.socket.write(piece)) await new Promise((go) => peer.socket.once('drain', go))
  peer.socket.end()
  t.equal(await peer.ended, 'end')
  t.ok(peer.read.equals(Buffer.concat(down)))
  await eventually(() => heard !== undefined || 'not all of it has come')
  t.ok(heard?.equals(Buffer.concat(up)))
})

/** As a screen that is shown far away: events of a few bytes, and now and then a picture. */
function tape(pieces: number): Buffer[] {
  return Array.from({ length: pieces }, (_, i) => randomBytes(i % 10 === 0 ? 150_000 : 1 + (i % 20)))
}

t.test('Unix sockets on both sides; one whose program is gone is replaced, one in use is not', async (t) => {
  // A path of a socket has 103 bytes at most.
  const folder = mkdtempSync(join(tmpdir(), 'forward-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [near, far] = [join(folder, 'near.sock'), join(folder, 'far.sock')]
  const echo = http.createServer((_, response) => response.end('by a path'))
  await new Promise<void>((resolve) => echo.listen(far, resolve))
  t.teardown(() => echo.close())
  const options = { server, target: `unix:${far}`, listen: `unix:${near}`, name: 'paths' }
  const { listener } = await startPair(t, options)
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const request = http.get({ socketPath: near, path: '/', agent: false }, async (response) => {
        let text = ''
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        resolve(text)
      })
      request.on('error', reject)
    })
  t.equal(await ask(), 'by a path')

  const second = await new Forward(t, ['--listen', `unix:${near}`, 'elsewhere'], { server }).ends()
  t.equal(second.code, 1)
  t.match(second.text, /Cannot listen on unix:.*near\.sock: somebody listens there already/)

  listener.child.kill('SIGKILL')
  await listener.ends()
  const again = new Forward(t, ['--listen', `unix:${near}`, 'paths'], { server })
  await again.tells('met')
  t.equal(await ask(), 'by a path')
})

t.test('a service that refuses: the program is reset, and both sides say why', async (t) => {
  const nobody = await freePort()
  const { port, listener, connector } = await startPair(t, { server, target: `${nobody}`, name: 'nobody' })
  const peer = client(t, port)
  peer.socket.write('is anybody there?')
  t.equal(await peer.ended, 'cut')
  const { why } = await listener.tells('cut')
  t.equal(why, `127.0.0.1:${nobody}: connection refused`)
  t.match(await connector.tells('refused'), { why })
  // And nothing is left of it.
  t.equal(listener.exit, undefined)
})
