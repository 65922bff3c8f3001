/** `--via hoody-pipes` and a peer that speaks as Hoody's `forwardTcp` does over two pipes: each pipe is a request of the test. */

import { randomBytes } from 'node:crypto'
import { type ClientRequest, createServer, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { leave } from '../../../client/forward/hoody/segment.js'
import { placeOf } from '../../../client/place.js'
import { eventually } from '../../support/eventually.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { startProgram } from '../../support/program.js'
import { client, Forward, Peer, startPair, startService } from './rig.js'

t.setTimeout(120_000)

const gateway = await startProgram(t)
const server = new URL(gateway.base).origin
const UP = randomBytes(3_000_001)
const DOWN = randomBytes(2_500_003)
const MORE = 'kind=tcp-forward; segments=1'
const LAST = `${MORE}; fin=1`
/** Before there were several pipes in a direction. */
const OLD = 'kind=tcp-forward'

class Sending {
  text = ''
  isOver = false
  constructor(readonly request: ClientRequest) {
    request.on('error', () => {})
    request.on('response', (response) => {
      response.setEncoding('utf8').on('data', (text) => {
        this.text += text
      })
      response.on('error', () => {})
      response.on('close', () => {
        this.isOver = true
      })
    })
  }

  async isComplete(): Promise<void> {
    await eventually(() => this.text.includes('[INFO] Transfer complete.') || this.text)
  }
}

/** A pipe that the peer sends. Without a body it stays open. */
function sends(t: Test, path: string, marker: string, body?: Buffer | string): Sending {
  const headers = { 'x-hoody-pipe': marker, 'transfer-encoding': 'chunked' }
  const outgoing = request(`${server}/${path}`, { method: 'POST', headers, agent: false })
  t.teardown(() => void outgoing.destroy())
  const sending = new Sending(outgoing)
  outgoing.flushHeaders()
  if (body !== undefined) outgoing.end(body)
  return sending
}

/** One that it receives. */
async function receives(t: Test, path: string): Promise<IncomingMessage> {
  const outgoing = request(`${server}/${path}`, { agent: false })
  t.teardown(() => void outgoing.destroy())
  outgoing.end()
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    outgoing.on('error', reject).once('response', resolve),
  )
  response.on('error', () => {})
  return response
}

async function whole(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function connects(t: Test, name: string, onSocket: (socket: Socket) => void) {
  const fars: Peer[] = []
  const target = await startService(t, (socket) => {
    fars.push(new Peer(socket))
    onSocket(socket)
  })
  const forward = new Forward(t, ['--via', 'hoody-pipes', '--connect', `${target}`, name], { server })
  const far = async () => {
    await eventually(() => fars.length > 0 || `nobody was connected to the service: ${forward.text}`)
    return fars.shift()!
  }
  return { forward, far }
}

t.test('--connect: a direction in several pipes, its end in an empty one, and the same the other way', async (t) => {
  const { forward, far } = await connects(t, 'c', (socket) => void socket.on('end', () => socket.end(DOWN)))
  for (let number = 1; number <= 2; number++) {
    await sends(t, 'c/to-connect', MORE, UP.subarray(0, 1_000_000)).isComplete()
    const service = await far()
    await sends(t, 'c/to-connect', MORE, '').isComplete()
    await sends(t, 'c/to-connect', MORE, UP.subarray(1_000_000)).isComplete()
    await eventually(() => service.bytes === UP.length || `${service.bytes} bytes`)
    t.equal(service.over, undefined)
    await sends(t, 'c/to-connect', LAST, '').isComplete()
    t.equal(await service.ended, 'end')
    t.ok(service.read.equals(UP))

    const down = await receives(t, 'c/to-listen')
    t.equal(down.headers['x-hoody-pipe'], MORE)
    t.ok((await whole(down)).equals(DOWN))
    const last = await receives(t, 'c/to-listen')
    t.equal(last.headers['x-hoody-pipe'], LAST)
    t.equal((await whole(last)).length, 0)
    t.match(await forward.tells('closed', number), { sent: DOWN.length, received: UP.length })
  }
  t.equal(forward.news('cut').length, 0)
})

t.test('--listen and one that knows of no further pipes: an end is the end', async (t) => {
  const forward = new Forward(t, ['--via', 'hoody-pipes', '--listen', '0', 'l'], { server })
  const near = client(t, await forward.port())
  near.socket.end(UP)
  const up = await receives(t, 'l/to-connect')
  t.ok((await whole(up)).equals(UP))
  t.equal(near.over, undefined)
  await sends(t, 'l/to-listen', OLD, DOWN).isComplete()
  t.equal(await near.ended, 'end')
  t.ok(near.read.equals(DOWN))
  await forward.tells('closed')
  await eventually(async () => {
    const { waiting } = (await (await fetch(`${server}/api/v1/pipe/health`)).json()) as { waiting: number }
    return waiting === 0 || `${waiting} wait for who will not come`
  })
})

t.test('a service that speaks first is heard before the other side has said anything', async (t) => {
  const { far } = await connects(t, 'first', (socket) => void socket.write('welcome'))
  const down = await receives(t, 'first/to-listen')
  await far()
  const [chunk] = (await down[Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [value])) as [Buffer]
  t.equal(chunk.toString(), 'welcome')
})

const CUTS: Readonly<Record<string, (up: IncomingMessage, down: Sending) => void>> = {
  'its sender': (_, down) => void down.request.destroy(),
  'its receiver': (up) => void up.destroy(),
}

for (const [what, breaks] of Object.entries(CUTS)) {
  t.test(`who loses ${what} is cut, and so is the program`, async (t) => {
    const forward = new Forward(t, ['--via', 'hoody-pipes', '--listen', '0', 'cut'], { server })
    const near = client(t, await forward.port())
    near.socket.write('up')
    const up = await receives(t, 'cut/to-connect')
    up.resume()
    const down = sends(t, 'cut/to-listen', MORE)
    down.request.write('down')
    await eventually(() => near.bytes === 4 || 'nothing came')
    breaks(up, down)
    t.equal(await near.ended, 'cut')
    t.match(await forward.tells('cut'), { received: 4 })
    // Both of its pipes are over.
    await eventually(() => (up.closed && (down.isOver || down.request.destroyed)) || `${up.closed} ${down.text}`)
    t.notMatch(down.text, /Transfer complete/)
  })
}

t.test('a program that resets: neither pipe looks like a whole one', async (t) => {
  const forward = new Forward(t, ['--via', 'hoody-pipes', '--listen', '0', 'reset'], { server })
  const near = client(t, await forward.port())
  near.socket.write('up')
  const up = await receives(t, 'reset/to-connect')
  const heard = whole(up)
  heard.catch(() => {})
  const down = sends(t, 'reset/to-listen', MORE)
  down.request.write('down')
  await eventually(() => near.bytes === 4 || 'nothing came')
  near.socket.resetAndDestroy()
  await t.rejects(heard, /aborted/)
  await eventually(() => down.isOver || down.text)
  t.notMatch(down.text, /Transfer complete/)
})

t.test('a receiver that does not read holds the program', async (t) => {
  const forward = new Forward(t, ['--via', 'hoody-pipes', '--listen', '0', 'slow'], { server })
  const near = client(t, await forward.port())
  const piece = randomBytes(1024 * 1024)
  let left = 0
  const saying = (async () => {
    for (let i = 0; i < 128; i++) {
      await new Promise((resolve) => near.socket.write(piece, resolve))
      left++
    }
    near.socket.end()
  })()
  const up = await receives(t, 'slow/to-connect')
  let before = -1
  await eventually(
    () => {
      const isQuiet = left === before && left > 0
      before = left
      return isQuiet || `${left} MiB have left`
    },
    { everyMs: 500 },
  )
  t.ok(left < 64, `${left} MiB have left, and the writer waits`)
  const heard = await whole(up)
  await saying
  t.ok(heard.equals(Buffer.concat(Array.from({ length: 128 }, () => piece))))
})

t.test('an answer that does not say that all has arrived', async (t) => {
  const piping = createServer((incoming, response) => {
    response.write('[INFO] Streaming to 1 receiver(s)...\n')
    incoming.resume().on('end', () => response.end('[INFO] Upload complete.\n'))
  })
  const origin = `http://127.0.0.1:${await listenOnLoopback(piping)}`
  t.teardown(() => void piping.close())
  const flags = { server: origin, token: undefined, header: [], cacert: undefined }
  const place = await placeOf('x', flags, { XDG_CONFIG_HOME: t.testdir() })
  const pipe = leave(place, false, 1, new AbortController().signal)
  await pipe.taken
  pipe.request.end('bytes')
  await t.rejects(pipe.complete, /the other side is gone/)
})

t.test('two of ours', async (t) => {
  const target = await startService(t, (socket) => socket.pipe(socket))
  const flags = ['--via', 'hoody-pipes']
  const { port, listener } = await startPair(t, { server, target: `${target}`, name: 'ours', flags })
  const peers = Array.from({ length: 4 }, () => client(t, port))
  for (const peer of peers) peer.socket.end(UP)
  for (const peer of peers) {
    t.equal(await peer.ended, 'end')
    t.ok(peer.read.equals(UP))
  }
  await listener.tells('closed', 4)
  t.ok(listener.news('opened').every(({ way }) => way === 'hoody-pipes'))
})
