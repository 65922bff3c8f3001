/** Ways in which sending and receiving goes wrong: each is one sentence and its exit code, and nothing half that looks whole. */

import { mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import authBearer from '../../../plugins/auth-bearer/index.js'
import { newToken } from '../../../plugins/auth-bearer/new-token.js'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { startDefaultGateway, startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { startMiddleman } from './middleman.js'
import { type CliExit, desks } from './rig.js'

t.setTimeout(300_000)

const BIG = 60_000_000

function failed(t: Test, exit: CliExit, code: number, line: RegExp): void {
  t.equal(exit.code, code, exit.text)
  t.match(exit.text, line)
  t.notMatch(exit.text, /^\s+at /m, 'no stack')
}

t.test('the sender dies: the receiver says so, and has a .part', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { there, send, receive } = desks(t, gateway.origin)
  const receiver = receive('x', '-o', 'dump')
  const sender = send('--name', 'x')
  sender.child.stdin.write(Buffer.alloc(100_000))
  await eventually(() => sizeOf(join(there, 'dump.part')) !== undefined || 'nothing has come')
  sender.child.kill('SIGKILL')
  failed(t, await receiver.ends(), 1, /The sender disconnected before its last byte\./)
  t.same(readdirSync(there), ['dump.part'])
})

t.test('the receiver dies: the sender says so', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { here, send, receive } = desks(t, gateway.origin)
  writeFileSync(join(here, 'big'), Buffer.alloc(BIG))
  const receiver = receive('x', '-o', '-')
  receiver.child.stdout.pause()
  const sender = send('big', '--name', 'x')
  await gateway.holds(0, 1)
  receiver.child.kill('SIGKILL')
  failed(t, await sender.ends(), 1, /All receivers disconnected before transfer completed\./)
})

t.test('a byte that was changed on the way is noticed, on either side', async (t) => {
  const gateway = await startDefaultGateway(t)
  const middleman = await startMiddleman(t, gateway.port)
  const { here, there, receive } = desks(t, middleman.origin)
  writeFileSync(join(here, 'a'), Buffer.alloc(300_000, 'a'))
  middleman.change = (chunk) => {
    const at = chunk.indexOf('aaaaaaaa')
    if (at >= 0) chunk[at] = 0x62
    return chunk
  }
  curl(['-T', join(here, 'a'), gateway.url('x?sha256')])
  failed(t, await receive('x', '-o', 'a').ends(), 1, /What has come is not what was sent: the SHA-256 differs\./)
  t.same(readdirSync(there), ['a.part'])
})

t.test('nobody comes in time: 3', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { send, receive } = desks(t, gateway.origin)
  const [sent, received] = await Promise.all([
    send('-t', 'x', '--wait', '1').ends(),
    receive('nobody', '--wait', '1').ends(),
  ])
  failed(t, sent, 3, /Timed out waiting for receivers\./)
  failed(t, received, 3, /Timed out waiting for the sender\./)
})

t.test('no server, no pipe server, a server that refuses: 2', async (t) => {
  const nowhere = `http://127.0.0.1:${await freePort()}`
  const { send, receive } = desks(t, nowhere)
  failed(
    t,
    await send('-t', 'x').ends(),
    2,
    /connection refused\. Is a gateway running there\? --server or PIPEGATE_URL/,
  )
  failed(t, await receive('x').ends(), 2, /connection refused/)
  failed(t, await receive('http://nothing.invalid/x').ends(), 2, /no such host|no answer from the name server/)

  const web = async (listener: RequestListener) => {
    const server = createServer(listener)
    const port = await listenOnLoopback(server)
    t.teardown(() => server.close())
    return desks(t, `http://127.0.0.1:${port}`)
  }
  const site = await web((request, response) => {
    request.resume()
    response.writeHead(request.method === 'GET' ? 404 : 405, { 'content-type': 'text/html' }).end('<h1>Hello</h1>')
  })
  failed(t, await site.send('-t', 'x').ends(), 2, /The server answered 405 Method Not Allowed\./)
  failed(t, await site.receive('x').ends(), 2, /The server answered 404 Not Found\./)
  const friendly = await web((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
  })
  failed(t, await friendly.send('-t', 'x').ends(), 2, /no pipe server/)

  const owner = newToken()
  const plugins = [{ plugin: authBearer, config: { tokens: [{ name: 'owner', hash: owner.hash }] } }]
  const guarded = await startGateway(t, {}, { plugins })
  const guest = desks(t, guarded.origin)
  failed(t, await guest.send('-t', 'x').ends(), 2, /token/i)
  failed(t, await guest.receive('x').ends(), 2, /token/i)
  const known = desks(t, guarded.origin, { PIPEGATE_TOKEN: owner.token })
  const [sent, received] = await Promise.all([known.send('-t', 'x', '--name', 'x').ends(), known.receive('x').ends()])
  t.same([sent.code, received.code], [0, 0], sent.text + received.text)
  // A link that somebody hands out must not get the token that is for another server.
  let seen: string | undefined = 'none'
  const thief = createServer((request, response) => {
    seen = request.headers.authorization
    response.writeHead(404).end()
  })
  const port = await listenOnLoopback(thief)
  t.teardown(() => thief.close())
  await known.receive(`http://127.0.0.1:${port}/x`).ends()
  t.equal(seen, undefined)
})

t.test('a name that is taken', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { send, receive } = desks(t, gateway.origin)
  send('-t', 'x', '--name', 'x')
  await gateway.holds(1, 0)
  failed(t, await send('-t', 'y', '--name', 'x').ends(), 2, /sender/i)
  receive('y')
  await gateway.holds(2, 0)
  failed(t, await receive('y').ends(), 2, /receiver\(s\) of this name are already here/)
})

t.test('a file that shrinks while it is sent, and one that is not there', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { here, there, send, receive } = desks(t, gateway.origin)
  writeFileSync(join(here, 'big'), Buffer.alloc(BIG))
  const receiver = receive('x')
  const sender = send('big', '--name', 'x')
  await sender.says(/streaming/)
  truncateSync(join(here, 'big'), 1000)
  const exit = await sender.ends()
  if (exit.code !== 0) {
    failed(t, exit, 1, /big became shorter while it was read/)
    t.equal((await receiver.ends()).code, 1)
    t.same(readdirSync(there), ['big.part'])
  }
  failed(t, await send('missing').ends(), 1, /missing: there is no such file or folder/)
})

t.test('Ctrl-C at any moment leaves nothing that looks whole, and no place', async (t) => {
  const gateway = await startDefaultGateway(t)
  for (let round = 0; round < 6; round++) {
    const middleman = await startMiddleman(t, gateway.port)
    const { here, there, receive } = desks(t, middleman.origin)
    const { send } = desks(t, gateway.origin)
    mkdirSync(join(here, 'd'))
    for (const i of round % 2 === 0 ? Array(20).keys() : [7])
      writeFileSync(join(here, 'd', `${i}`), Buffer.alloc(round % 2 === 0 ? BIG / 20 : BIG, i))
    // What is left does not fit into the buffers on the way: nobody may be told that all has arrived.
    middleman.stopAfter = Math.floor(Math.random() * 0.6 * BIG) + 20_000
    const sender = send(join(here, round % 2 === 0 ? 'd' : 'd/7'), '--name', `r${round}`)
    const receiver = receive(`r${round}`)
    await eventually(() => readdirSync(there).length > 0 || 'nothing has come', { timeoutMs: 60_000 })
    const victim = round < 3 ? receiver : sender
    victim.child.kill('SIGINT')
    const exit = await victim.ends()
    middleman.stopAfter = Number.POSITIVE_INFINITY
    if (round >= 3) middleman.cut()
    const other = await (round < 3 ? sender : receiver).ends()
    t.equal(exit.signal, 'SIGINT')
    t.not(other.code, 0, 'the other one knows')
    t.same(readdirSync(there), [round % 2 === 0 ? 'd.part' : '7.part'])
  }
  await gateway.holds(0, 0)
})

t.test('a proxy that cuts silence: the places are taken again, and what is sent arrives once', async (t) => {
  const gateway = await startDefaultGateway(t)
  const middleman = await startMiddleman(t, gateway.port, { silenceMs: 3500 })
  const { send, receive } = desks(t, middleman.origin)
  const receiver = receive('x')
  await eventually(() => middleman.connections >= 2 || `${middleman.connections} connections`, { timeoutMs: 30_000 })
  const sender = send('--name', 'x')
  sender.child.stdin.end('once')
  t.equal((await sender.ends()).code, 0, sender.text)
  const received = await receiver.ends()
  t.equal(received.code, 0, received.text)
  t.equal(received.stdout.toString(), 'once')

  const patient = send('--name', 'y')
  patient.child.stdin.end('once more')
  const before = middleman.connections
  await eventually(() => middleman.connections >= before + 2 || `${middleman.connections}`, { timeoutMs: 40_000 })
  t.equal((await receive('y').ends()).stdout.toString(), 'once more')
  t.equal((await patient.ends()).code, 0, patient.text)
})

t.test('the gateway restarts while both wait', async (t) => {
  const gateway = await startDefaultGateway(t)
  const middleman = await startMiddleman(t, gateway.port)
  const { send, receive } = desks(t, middleman.origin)
  const receiver = receive('x')
  await gateway.holds(1, 0)
  middleman.cut()
  await eventually(() => middleman.connections >= 2 || receiver.exit !== undefined || 'it does not come again', {
    timeoutMs: 30_000,
  })
  const sender = send('-t', 'back', '--name', 'x')
  t.equal((await receiver.ends()).stdout.toString(), 'back', receiver.text)
  t.equal((await sender.ends()).code, 0)
})

t.test('output that nobody reads: 141', async (t) => {
  const gateway = await startDefaultGateway(t)
  const { here, send, receive } = desks(t, gateway.origin)
  writeFileSync(join(here, 'big'), Buffer.alloc(BIG))
  const sender = send('big', '--name', 'x')
  const receiver = receive('x', '-o', '-')
  await eventually(() => receiver.child.stdout.readableLength > 0 || receiver.text.length > 0 || 'nothing')
  receiver.child.stdout.destroy()
  t.equal((await receiver.ends()).code, 141, receiver.text)
  t.equal((await sender.ends()).code, 1)
})

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}
