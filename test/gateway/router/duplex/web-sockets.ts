/** WebSockets as peers of a duplex pipe: with each other, and with HTTP. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import WebSocket from 'ws'
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import { amount } from '../../../support/thorough.js'
import { joins, nothingLeft, part, peers } from './rig.js'

const MIB = 1024 * 1024

/** A WebSocket, and all that it got. */
class SocketPeer {
  readonly messages: (string | Buffer)[] = []
  bytes = 0
  closed: { readonly code: number; readonly reason: string } | undefined

  constructor(
    readonly ws: WebSocket,
    keeps = true,
  ) {
    ws.on('message', (data: Buffer, isBinary) => {
      this.bytes += data.length
      if (keeps) this.messages.push(isBinary ? data : data.toString())
    })
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    ws.on('error', () => {})
  }

  hears(...wanted: (string | Buffer)[]): Promise<void> {
    return eventually(() => {
      const same =
        this.messages.length === wanted.length && wanted.every((each, i) => sameMessage(each, this.messages[i]!))
      return same || `${this.messages.length} messages: ${String(this.messages.at(-1)).slice(0, 100)}`
    })
  }

  async isClosed(code: number, reason: RegExp | string, t: Test): Promise<void> {
    await eventually(() => this.closed !== undefined || 'it is open')
    t.match(this.closed, { code, reason })
  }
}

/** What is below a WebSocket of the library. */
function connectionOf({ ws }: SocketPeer): Socket {
  return (ws as unknown as { readonly _socket: Socket })._socket
}

function sameMessage(one: string | Buffer, another: string | Buffer): boolean {
  return typeof one === 'string' ? one === another : typeof another !== 'string' && one.equals(another)
}

interface OpenOptions {
  readonly query?: string
  readonly protocols?: readonly string[]
  readonly keeps?: boolean
}

async function opens(
  t: Test,
  gateway: Running,
  { query = '', protocols = [], keeps = true }: OpenOptions = {},
): Promise<SocketPeer> {
  const url = gateway.url(`d?ws${query}`).replace(/^http/, 'ws')
  const ws = new WebSocket(url, [...protocols], { rejectUnauthorized: false, perMessageDeflate: false })
  t.teardown(() => ws.terminate())
  const peer = new SocketPeer(ws, keeps)
  await once(ws, 'open')
  return peer
}

async function two(t: Test, gateway: Running): Promise<[SocketPeer, SocketPeer]> {
  const one = await opens(t, gateway)
  await peers(gateway, 1)
  const another = await opens(t, gateway)
  await peers(gateway, 2)
  return [one, another]
}

/** The status of a refused handshake, and its body. */
async function refused(gateway: Running, options: OpenOptions & { readonly version?: number } = {}): Promise<string> {
  const { query = '', protocols = [], version = 13 } = options
  const url = gateway.url(`d?ws${query}`).replace(/^http/, 'ws')
  const ws = new WebSocket(url, [...protocols], { rejectUnauthorized: false, protocolVersion: version })
  return new Promise((resolve) => {
    ws.on('error', () => {})
    ws.on('open', () => resolve('open'))
    ws.on('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (data: Buffer) => (body += data))
      response.on('end', () => resolve(`${response.statusCode} ${body}`))
    })
  })
}

part('two WebSockets: text stays text, bounds and order stay, from nothing to a MiB', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  const sent: (string | Buffer)[] = [
    '',
    'a',
    Buffer.alloc(0),
    Buffer.from('b'),
    'ä€😀',
    randomBytes(4096),
    randomBytes(4097),
  ]
  sent.push('x'.repeat(65_536), randomBytes(300_000), randomBytes(MIB), '', 'last')
  for (const each of sent) one.ws.send(each)
  await another.hears(...sent)
  for (const each of [...sent].reverse()) another.ws.send(each)
  await one.hears(...[...sent].reverse())
  one.ws.close(1000, 'bye')
  await another.isClosed(1000, 'bye', t)
  await one.isClosed(1000, 'bye', t)
  await nothingLeft(gateway)
})

part('what the first one says before the other has come is not lost, and not read beyond a bound', async (t) => {
  const gateway = await startGateway(t)
  const one = await opens(t, gateway)
  const sent = Array.from({ length: 6000 }, (_, i) => `early ${i}`)
  for (const each of sent) one.ws.send(each)
  const big = randomBytes(900_000)
  for (let i = 0; i < 20; i++) one.ws.send(big)
  await peers(gateway, 1)
  const another = await opens(t, gateway)
  await another.hears(...sent, ...Array.from({ length: 20 }, () => big))
  one.ws.close()
  await another.isClosed(1000, '', t)
  await nothingLeft(gateway)
})

for (const [code, reason] of [
  [1001, 'going'],
  [4000, ''],
  [4123, 'mine'],
] as const) {
  part(`a close with ${code} is passed on, behind all that was said`, async (t) => {
    const gateway = await startGateway(t)
    const [one, another] = await two(t, gateway)
    const said = randomBytes(MIB)
    for (let i = 0; i < 8; i++) one.ws.send(said)
    one.ws.close(code, reason)
    await another.isClosed(code, reason, t)
    t.equal(another.bytes, 8 * MIB)
    await nothingLeft(gateway)
  })
}

part('one that vanishes: 1011 for the other one, never a clean close', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  one.ws.send('x')
  await another.hears('x')
  one.ws.terminate()
  await another.isClosed(1011, 'Peer disconnected.', t)
  await nothingLeft(gateway)
})

part('a code that the engine does not tell counts as that', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  one.ws.close(3000, 'unheard')
  await another.isClosed(1011, 'Peer disconnected.', t)
  await nothingLeft(gateway)
})

part('in the middle of a frame as well; and a setting says 1001', async (t) => {
  const gateway = await startGateway(t, { peerGone: 'away' })
  const [one, another] = await two(t, gateway)
  const raw = connectionOf(one)
  raw.write(Buffer.concat([Buffer.from([0x82, 0xff]), Buffer.from([0, 0, 0, 0, 0, 0, 0x27, 0x10]), Buffer.alloc(5000)]))
  await eventually(() => gateway.gateway.slabs.heldBytes > 0 || 'nothing of it has come')
  raw.destroy()
  await another.isClosed(1001, 'Peer disconnected.', t)
  await nothingLeft(gateway)
})

part('stopped with more words than a close frame holds, of letters that take several bytes', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  gateway.gateway.table.stop('d', { code: 'X', status: 403, message: `a${'€'.repeat(100)}`, hint: '' })
  for (const each of [one, another]) await each.isClosed(1011, /^Transfer failed: a€{34}$/, t)
  await nothingLeft(gateway)
})

part('nobody comes: 4408', async (t) => {
  const gateway = await startGateway(t)
  const one = await opens(t, gateway, { query: '&wait=1' })
  await one.isClosed(4408, 'Timed out waiting for peer.', t)
  t.match(await refused(gateway, { query: '&now' }), /^503 .*Nobody is waiting/)
  await nothingLeft(gateway)
})

part('a message of more than a MiB: 1009 for both', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  one.ws.send('before')
  one.ws.send(randomBytes(MIB + 1))
  await one.isClosed(1009, /more than 1048576 bytes/, t)
  await another.isClosed(1009, /more than 1048576 bytes/, t)
  t.same(another.messages, ['before'])
  await nothingLeft(gateway)
})

part('a third, no upgrade, wrong versions and keys, and other methods', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  t.match(await refused(gateway), /^409 .*Both peers/)
  one.ws.send('undisturbed')
  await another.hears('undisturbed')
  t.match(await refused(gateway, { version: 8 }), /^426 .*version "?8/)
  const plain = await curlDone(['-sik', gateway.url('e?ws')])
  t.match(plain.stdout.toString(), /^HTTP\/1\.1 426 [\s\S]*\r\nUpgrade: websocket\r\n/)
  const upgrade = ['-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket', '-H', 'Sec-WebSocket-Version: 13']
  const keyless = await curlDone(['-sik', ...upgrade, gateway.url('e?ws')])
  t.match(keyless.stdout.toString(), /^HTTP\/1\.1 400 [\s\S]*no Sec-WebSocket-Key/)
  const wrong = await curlDone(['-sik', ...upgrade, '-H', 'Sec-WebSocket-Key: short', gateway.url('e?ws')])
  t.match(wrong.stdout.toString(), /^HTTP\/1\.1 400 [\s\S]*Sec-WebSocket-Key is no key/)
  const put = await curlDone(['-sik', '-T', '/dev/null', gateway.url('e?ws')])
  t.match(put.stdout.toString(), /^HTTP\/1\.1 (405|426) /)
  one.ws.close()
  await another.isClosed(1000, '', t)
  await nothingLeft(gateway)
})

part('subprotocols', async (t) => {
  const gateway = await startGateway(t)
  for (const [first, second, expected] of [
    [['a', 'b'], ['b', 'a'], 'a'],
    [['a'], ['b'], /^409 .*subprotocol "?a"?, and this one offers "?b/],
    [['a'], [], /^409 .*offers none/],
    [[], ['a'], /^409 .*subprotocol none/],
    [[], [], ''],
  ] as const) {
    const one = await opens(t, gateway, { protocols: first })
    t.equal(one.ws.protocol, first[0] ?? '')
    if (typeof expected === 'string') {
      const another = await opens(t, gateway, { protocols: second })
      t.equal(another.ws.protocol, expected)
    } else t.match(await refused(gateway, { protocols: second }), expected)
    one.ws.close()
    await peers(gateway, 0)
  }
  await nothingLeft(gateway)
})

part('a WebSocket and HTTP: messages are bytes, and bytes binary messages', async (t) => {
  const gateway = await startGateway(t)
  for (const closer of ['the WebSocket', 'HTTP'] as const) {
    const http = await joins(gateway)
    await peers(gateway, 1)
    const socket = await opens(t, gateway)
    socket.ws.send('text ')
    socket.ws.send('')
    socket.ws.send(Buffer.from('and bytes'))
    await http.hears('text and bytes')
    await http.say('hello')
    await socket.hears(Buffer.from('hello'))
    if (closer === 'HTTP') await http.end()
    else socket.ws.close(1000)
    await socket.isClosed(1000, '', t)
    await http.hearsTheEnd()
    await nothingLeft(gateway)
    http.raw.destroy()
  }
})

part('a body that ends closes the WebSocket, and all that it had said is heard', async (t) => {
  const gateway = await startGateway(t, { window: '64KiB' })
  const http = await joins(gateway)
  await peers(gateway, 1)
  http.raw.pause()
  const socket = await opens(t, gateway)
  const said = randomBytes(100_000)
  for (let i = 0; i < 200; i++) socket.ws.send(said)
  await eventually(() => gateway.gateway.slabs.heldBytes > 0 || 'nothing waits for the one that does not read')
  await http.say('enough')
  await http.end()
  await socket.hears(Buffer.from('enough'))
  await eventually(() => socket.ws.readyState !== socket.ws.OPEN || 'it has not been told')
  http.raw.resume()
  // Not before: to look for the end reads all of it.
  await eventually(() => http.raw.receivedBytes > 200 * said.length || `${http.raw.receivedBytes} bytes`)
  await http.hearsTheEnd()
  await socket.isClosed(1000, '', t)
  const heard = Buffer.from(http.heard, 'latin1')
  t.equal(heard.length, 200 * said.length)
  t.ok(heard.subarray(-said.length).equals(said))
  await nothingLeft(gateway)
  http.raw.destroy()
})

part('a WebSocket that is told so and vanishes has not said everything', async (t) => {
  const gateway = await startGateway(t)
  const http = await joins(gateway)
  await peers(gateway, 1)
  const socket = await opens(t, gateway)
  // It reads the close frame, and does not answer.
  const raw = connectionOf(socket)
  raw.removeAllListeners('data')
  let got = ''
  raw.on('data', (data: Buffer) => (got += data.toString('latin1')))
  await http.end()
  await eventually(() => got === '\x88\x02\x03\xe8' || JSON.stringify(got))
  t.notOk(http.heardAll)
  raw.destroy()
  await http.isCut()
  await nothingLeft(gateway)
})

for (const how of ['closes with 4000', 'vanishes'] as const) {
  part(`a WebSocket that ${how} cuts a peer that speaks HTTP`, async (t) => {
    const gateway = await startGateway(t)
    const http = await joins(gateway)
    await peers(gateway, 1)
    const socket = await opens(t, gateway)
    socket.ws.send('x')
    await http.hears('x')
    if (how === 'vanishes') socket.ws.terminate()
    else socket.ws.close(4000)
    await http.isCut()
    await nothingLeft(gateway)
  })
}

part('a peer that speaks HTTP vanishes: 1011', async (t) => {
  const gateway = await startGateway(t)
  const socket = await opens(t, gateway)
  await peers(gateway, 1)
  const http = await joins(gateway)
  await http.say('x')
  await socket.hears(Buffer.from('x'))
  http.raw.destroy()
  await socket.isClosed(1011, 'Peer disconnected.', t)
  await nothingLeft(gateway)
})

part('a WebSocket and parts', async (t) => {
  const gateway = await startGateway(t)
  const socket = await opens(t, gateway)
  const hears = curl(['-sk', '-N', gateway.url('d?duplex=a')])
  const says = curl(['-sk', '-N', '-T', '-', gateway.url('d?duplex=a')])
  says.stdin.write('from a')
  await socket.hears(Buffer.from('from a'))
  socket.ws.send('to a')
  await eventually(() => hears.stdoutText === 'to a' || hears.stdoutText)
  says.stdin.end()
  t.match((await says.result).stdout.toString(), /Transfer complete/)
  await socket.isClosed(1000, '', t)
  t.equal((await hears.result).code, 0)
  await nothingLeft(gateway)
})

part('a slow reader holds a fast sender: the window is held and no more, and no message is lost', async (t) => {
  const gateway = await startGateway(t, { window: '256KiB' })
  const [fast, slow] = await two(t, gateway)
  const raw = connectionOf(slow)
  raw.pause()
  const pieces = amount(64, 1024)
  const body = randomBytes(MIB)
  let most = 0
  for (let i = 0; i < pieces; i++) {
    body.writeUInt32BE(i)
    fast.ws.send(Buffer.from(body))
  }
  let before = -1
  await eventually(
    () => {
      most = Math.max(most, gateway.gateway.slabs.heldBytes)
      const now = fast.ws.bufferedAmount
      const isQuiet = now === before
      before = now
      return (isQuiet && now > 0) || `${now} bytes are still moving`
    },
    { everyMs: 300 },
  )
  t.ok(most < 5 * MIB, `${most} bytes held`)
  slow.ws.send('the other way is free')
  await fast.hears('the other way is free')
  raw.resume()
  await eventually(() => slow.messages.length === pieces || `${slow.messages.length} of ${pieces}`)
  t.ok(
    slow.messages.every((message, i) => typeof message !== 'string' && message.readUInt32BE() === i),
    'all of them, in order',
  )
  t.ok((slow.messages.at(-1) as Buffer).equals(body))
  fast.ws.close()
  await slow.isClosed(1000, '', t)
  await nothingLeft(gateway)
})

part('floods of pings and of empty frames', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  let pongs = 0
  one.ws.on('pong', () => pongs++)
  for (let i = 0; i < 20_000; i++) {
    one.ws.ping()
    one.ws.send('')
  }
  one.ws.send('still here')
  await eventually(() => another.messages.length === 20_001 || `${another.messages.length}`)
  await eventually(() => pongs === 20_000 || `${pongs} pongs`)
  t.equal(another.messages.at(-1), 'still here')
  one.ws.close()
  await another.isClosed(1000, '', t)
  await nothingLeft(gateway)
})

part('the operator shuts down: 1012 for who waits, and a pair goes on until the drain is over', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await two(t, gateway)
  const url = gateway.url('lonely?ws').replace(/^http/, 'ws')
  const lonely = new SocketPeer(new WebSocket(url, { rejectUnauthorized: false }))
  await once(lonely.ws, 'open')
  await peers(gateway, 1, 'lonely')
  const stopped = gateway.gateway.stop(1000)
  await lonely.isClosed(1012, 'Server shutting down.', t)
  one.ws.send('last words')
  await another.hears('last words')
  await stopped
  await one.isClosed(1011, 'Server shutting down.', t)
  await another.isClosed(1011, 'Server shutting down.', t)
})
