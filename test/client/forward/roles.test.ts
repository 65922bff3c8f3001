/** Who may, who waits, and for whom there is no place. */

import { writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import { sharedCertificate } from '../../support/certificate.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { startProgram } from '../../support/program.js'
import { client, Forward, startPair, startPipingServer, startService } from './rig.js'

t.setTimeout(120_000)

const gateway = await startProgram(t)
const server = new URL(gateway.base).origin

/** Something to connect to. */
const echo = (t: Test) => startService(t, (socket) => socket.pipe(socket))

/** A word goes there and comes back. */
async function works(t: Test, port: number): Promise<void> {
  const peer = client(t, port)
  peer.socket.end('and back')
  t.equal(await peer.ended, 'end')
  t.equal(peer.read.toString(), 'and back')
}

t.test('a second one of the same role is told so, and the first one is not disturbed', async (t) => {
  const target = await echo(t)
  // Alone, and when both are there.
  const alone = new Forward(t, ['--listen', '0', 'alone'], { server })
  await alone.tells('listening')
  await placesAreTaken(alone, 'alone')
  const beside = await new Forward(t, ['--listen', '0', 'alone'], { server }).ends()
  t.equal(beside.code, 2, beside.text)
  t.match(beside.text, /"line":"Another forward with --listen is on this name: alone\."/)

  const { port } = await startPair(t, { server, target: `${target}`, name: 'both' })
  for (const role of ['--listen', '--connect'] as const) {
    const { code, text } = await new Forward(t, [role, role === '--listen' ? '0' : `${target}`, 'both'], {
      server,
    }).ends()
    t.equal(code, 2, text)
    t.match(text, `Another forward with ${role} is on this name: both.`)
  }
  await works(t, port)
})

/** It has both of its places on the gateway. */
async function placesAreTaken(forward: Forward, name: string): Promise<void> {
  await eventually(async () => {
    const states = ['to-connect', 'to-listen'].map((place) => fetch(`${server}/${name}/${place}?status`))
    for (const response of await Promise.all(states)) {
      const { state } = (await response.json()) as { state: string }
      if (state !== 'waiting') return `${state}: ${forward.text}`
    }
    return true
  })
}

t.test('--wait: nobody comes, or does not come back', async (t) => {
  const alone = await new Forward(t, ['--listen', '0', 'nobody', '--wait', '1'], { server }).ends()
  t.equal(alone.code, 3, alone.text)
  t.match(alone.text, /Timed out waiting for the other side\./)

  const target = await echo(t)
  const { listener, connector, port } = await startPair(t, {
    server,
    target: `${target}`,
    name: 'gone',
    flags: ['--wait', '2'],
  })
  await works(t, port)
  connector.child.kill('SIGTERM')
  t.equal((await connector.ends()).signal, 'SIGTERM')
  t.equal((await listener.ends()).code, 3)
})

t.test('a connection waits for the other side, and works when it has come', async (t) => {
  const target = await echo(t)
  const listener = new Forward(t, ['--listen', '0', 'late'], { server })
  const peer = client(t, await listener.port())
  peer.socket.end('early')
  const connector = new Forward(t, ['--connect', `${target}`, 'late'], { server })
  t.equal(await peer.ended, 'end')
  t.equal(peer.read.toString(), 'early')
  t.equal(connector.exit, undefined)
})

t.test('--connections: one beyond them is reset, on either side, and there is room again afterwards', async (t) => {
  const target = await echo(t)
  for (const [i, limited] of (['listener', 'connector'] as const).entries()) {
    const name = `few-${i}`
    const few = ['--connections', '2']
    const connector = new Forward(t, ['--connect', `${target}`, name, ...(limited === 'connector' ? few : [])], {
      server,
    })
    const listener = new Forward(t, ['--listen', '0', name, ...(limited === 'listener' ? few : [])], { server })
    const port = await listener.port()
    await Promise.all([listener.tells('met'), connector.tells('met')])
    const two = [client(t, port), client(t, port)]
    for (const [i, { socket }] of two.entries()) {
      socket.write('x')
      await eventually(() => two[i]!.bytes === 1 || 'it has not come back')
    }
    const third = client(t, port)
    third.socket.write('x')
    t.equal(await third.ended, 'cut')
    const { why } = await (limited === 'listener' ? listener : connector).tells('refused')
    t.equal(why, '2 connections are carried already, and --connections allows no more')
    for (const { socket } of two) socket.end()
    await Promise.all([listener.tells('closed', 2), connector.tells('closed', 2)])
    await works(t, port)
  }
})

t.test('tokens: with none and with the wrong one it is refused, with one for this name it works', async (t) => {
  const { token, hash } = newToken()
  const entry = { name: 'desk', rights: ['send', 'receive'], names: ['db/**'], hash }
  const folder = t.testdir()
  const config = join(folder, 'gateway.json')
  writeFileSync(config, JSON.stringify({ plugins: [{ plugin: 'auth-bearer', config: { tokens: [entry] } }] }))
  const guarded = new URL((await startProgram(t, ['--config', config])).base).origin
  const refused = await new Forward(t, ['--listen', '0', 'db'], { server: guarded }).ends()
  t.equal(refused.code, 2, refused.text)
  t.match(refused.text, /"status":401/)
  const wrong = await new Forward(t, ['--listen', '0', 'other', '--token', token], { server: guarded }).ends()
  t.equal(wrong.code, 2, wrong.text)
  t.match(wrong.text, /"status":403/)

  const target = await echo(t)
  const env = { PIPEGATE_TOKEN: token }
  const { port } = await startPair(t, { server: guarded, target: `${target}`, name: 'db', env })
  await works(t, port)
})

t.test('over TLS, by the certificates that --cacert names', async (t) => {
  const secure = await startGateway(t, {}, { tls: true })
  const target = await echo(t)
  const untrusted = await new Forward(t, ['--listen', '0', 'x'], { server: secure.origin }).ends()
  t.equal(untrusted.code, 2, untrusted.text)
  t.match(untrusted.text, /its certificate is signed by itself; --cacert FILE trusts it/)
  const flags = ['--cacert', sharedCertificate().cert]
  const { port, listener, connector } = await startPair(t, { server: secure.origin, target: `${target}`, flags })
  await works(t, port)
  for (const side of [listener, connector]) {
    side.child.kill('SIGINT')
    await side.ends()
  }
})

t.test('by a Piping Server, which knows pipes and nothing else', async (t) => {
  const origin = await startPipingServer(t)
  const target = await echo(t)
  const { port, listener } = await startPair(t, { server: origin, target: `${target}` })
  await works(t, port)
  t.match(listener.news('opened')[0], { way: 'pipes' })
  const second = await new Forward(t, ['--listen', '0', 'x'], { server: origin }).ends()
  t.equal(second.code, 2, second.text)
  t.match(second.text, /Another forward with --listen is on this name/)
  t.equal(listener.exit, undefined)
})

t.test('behind a proxy that answers when it has been told everything, by pipes', async (t) => {
  const target = await echo(t)
  const { port, listener } = await startPair(t, {
    server: await startHalfDuplexProxy(t),
    target: `${target}`,
    name: 'half',
  })
  await works(t, port)
  t.match(listener.news('way')[0], { way: 'pipes' })
})

/** Hands an answer on when it has the whole request. */
async function startHalfDuplexProxy(t: Test): Promise<string> {
  const proxy = createServer((incoming, response) => {
    const { method, url: path, headers } = incoming
    const outgoing = request({ host: '127.0.0.1', port: gateway.port, method, path, headers }, (answer) => {
      const handOn = () => {
        response.writeHead(answer.statusCode!, answer.headers)
        response.flushHeaders()
        answer.pipe(response)
      }
      if (incoming.complete) handOn()
      else incoming.once('end', handOn)
      answer.once('error', () => response.destroy())
    })
    outgoing.on('error', () => response.destroy()).flushHeaders()
    incoming.pipe(outgoing)
    response.on('close', () => outgoing.destroy())
  })
  proxy.requestTimeout = 0
  const port = await listenOnLoopback(proxy)
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${port}`
}

t.test('what is wrong in the command line is named', async (t) => {
  const cases: ReadonlyArray<readonly [args: readonly string[], says: RegExp]> = [
    [['x'], /one of --listen and --connect/],
    [['--listen', '1', '--connect', '2', 'x'], /one of --listen and --connect/],
    [['--connect', '0', 'x'], /--connect: expected PORT, HOST:PORT, \[IPV6\]:PORT or unix:PATH, with a port from 1/],
    [['--listen', '70000', 'x'], /--listen: expected PORT/],
    [['--listen', 'unix:', 'x'], /--listen: expected a path of 1 to 103 bytes/],
    [['--listen', 'here', 'x'], /--listen: expected PORT/],
    [['--listen', '1', '--connections', '0', 'x'], /--connections/],
  ]
  for (const [args, says] of cases) {
    const { code, text } = await new Forward(t, args, { server }).ends()
    t.equal(code, 2, text)
    t.match(text, says)
  }
  const taken = await startService(t, () => {})
  const { code, text } = await new Forward(t, ['--listen', `${taken}`, 'x'], { server }).ends()
  t.equal(code, 1)
  t.match(text, `Cannot listen on 127.0.0.1:${taken}: somebody listens there already`)
})
