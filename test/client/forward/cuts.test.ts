/** What breaks: whole or cut, never mixed. */

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { Program, startProgram } from '../../support/program.js'
import { client, type Pair, Peer, rudely, startPair, startPipingServer, startService } from './rig.js'

t.setTimeout(120_000)

/** Bytes that say where they belong: the same seed makes the same stream. */
function stream(seed: string, bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i * 32 < bytes; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest())
  return Buffer.concat(parts).subarray(0, bytes)
}

const UP = stream('up', 3_000_000)
const DOWN = stream('down', 3_000_000)

interface Both {
  readonly near: Peer
  readonly far: Peer
}

/** Connections that send `UP` and `DOWN`, and the ends of each. */
class Service {
  readonly fars: Peer[] = []
  onSocket(socket: Socket): void {
    this.fars.push(new Peer(socket))
    socket.end(DOWN)
  }
}

async function started(t: Test, server: string, name: string) {
  const service = new Service()
  const target = await startService(t, (socket) => service.onSocket(socket))
  const pair = await startPair(t, { server, target: `${target}`, name })
  const begin = async (): Promise<Both> => {
    const number = service.fars.length
    const near = client(t, pair.port)
    near.socket.end(UP)
    await eventually(() => service.fars.length > number || 'nobody was connected to the service')
    return { near, far: service.fars[number]! }
  }
  return { pair, begin }
}

/** Each end has the whole and a clean end, or a part from the beginning and a cut. */
function isWholeOrCut(t: Test, { near, far }: Both, what: string): void {
  for (const [peer, truth, side] of [[near, DOWN, 'near'] as const, [far, UP, 'far'] as const]) {
    const { read } = peer
    t.ok(
      read.equals(truth.subarray(0, read.length)),
      `${what}, ${side}: nothing lost or repeated in ${read.length} bytes`,
    )
    if (peer.over === 'end') t.equal(read.length, truth.length, `${what}, ${side}: an end is the end of all of it`)
  }
}

/** Each breaks something of a connection that is running. */
const BREAKS: Readonly<Record<string, (both: Both, pair: Pair) => void>> = {
  'the program resets': ({ near }) => rudely(near.socket),
  'the service resets': ({ far }) => rudely(far.socket),
  nothing: () => {},
}

/** Where it runs, and the way that is taken there. */
const WAYS: Readonly<Record<string, (t: Test) => Promise<string>>> = {
  duplex: async (t) => new URL((await startProgram(t)).base).origin,
  pipes: startPipingServer,
}

for (const [way, start] of Object.entries(WAYS)) {
  t.test(
    `by ${way}, resets at random moments: each end has a part from the beginning and a cut, or all of it`,
    async (t) => {
      const { pair, begin } = await started(t, await start(t), 'x')
      for (let round = 0; round < 6; round++) {
        for (const [what, breakIt] of Object.entries(BREAKS)) {
          const both = await begin()
          const moment = Math.random() * DOWN.length
          await eventually(() => both.near.bytes + both.far.bytes >= moment || 'it has not come so far', { everyMs: 1 })
          breakIt(both, pair)
          const [near, far] = await Promise.all([both.near.ended, both.far.ended])
          isWholeOrCut(t, both, what)
          if (what === 'nothing') t.same([near, far], ['end', 'end'])
        }
      }
      t.equal(pair.listener.exit, undefined)
      t.ok(pair.listener.news('opened').every((news) => news.way === way))
    },
  )
}

for (const victim of ['listener', 'connector'] as const) {
  t.test(`a ${victim} that is killed: what it carried is cut at the far end`, async (t) => {
    const gateway = await startProgram(t)
    const server = new URL(gateway.base).origin
    const { pair, begin } = await started(t, server, 'x')
    const both = await begin()
    await eventually(() => both.near.bytes > 100_000 || 'nothing has come')
    // One that is idle when it happens.
    const idle = await idleOne(t, server)
    pair[victim].child.kill('SIGKILL')
    idle.pair[victim].child.kill('SIGKILL')
    const survivor = victim === 'listener' ? both.far : both.near
    await survivor.ended
    isWholeOrCut(t, both, victim)
    t.equal(await idle[victim === 'listener' ? 'far' : 'near'].ended, 'cut')
    const other = victim === 'listener' ? pair.connector : pair.listener
    t.type((await other.tells('parted')).why, 'string')
  })
}

async function idleOne(t: Test, server: string) {
  let far: Peer | undefined
  const target = await startService(t, (socket) => {
    far = new Peer(socket)
  })
  const pair = await startPair(t, { server, target: `${target}`, name: 'idle' })
  const near = client(t, pair.port)
  near.socket.write('x')
  await eventually(() => far?.bytes === 1 || 'it has not come')
  return { pair, near, far: far! }
}

t.test('an interrupted forward resets what it carries, and says goodbye', async (t) => {
  const gateway = await startProgram(t)
  const { pair, near, far } = await idleOne(t, new URL(gateway.base).origin)
  pair.listener.child.kill('SIGINT')
  const { signal } = await pair.listener.ends()
  t.equal(signal, 'SIGINT')
  t.same(await Promise.all([near.ended, far.ended]), ['cut', 'cut'])
  t.match(await pair.connector.tells('parted'), { why: undefined })
})

t.test('a gateway that is restarted: connections are cut, and new ones work again by themselves', async (t) => {
  const port = await freePort()
  const serve = async () => {
    const program = new Program(t, ['serve', '--port', `${port}`], {})
    await program.waitForLog('listening', 1, 30_000)
    return program
  }
  const first = await serve()
  const server = `http://127.0.0.1:${port}`
  const { pair, begin } = await started(t, server, 'x')
  const { near, far } = await idleOne(t, server)
  await first.endsAfter('SIGKILL')
  t.same(await Promise.all([near.ended, far.ended]), ['cut', 'cut'])
  await pair.listener.tells('trouble')
  // It is waited for, as far as a program is patient.
  await serve()
  await pair.listener.tells('met', 2)
  await pair.connector.tells('met', 2)
  const both = await begin()
  t.same(await Promise.all([both.near.ended, both.far.ended]), ['end', 'end'])
  isWholeOrCut(t, both, 'afterwards')
})

/**
 * What may be under way when nobody reads, in bytes: a frame in each forward, the window of the gateway, and what the kernels of four
 * connections hold, which is most of it.
 */
const UNDER_WAY = 48 * 1024 * 1024
/** What a forward may grow by, in bytes. */
const GROWTH = 32 * 1024 * 1024

t.test('a reader that stops: its writer is stopped too, and nobody stores what is written', async (t) => {
  const gateway = await startProgram(t)
  const server = new URL(gateway.base).origin
  let far: Socket | undefined
  const target = await startService(t, (socket) => {
    far = socket.pause()
  })
  const { port, listener, connector } = await startPair(t, { server, target: `${target}` })
  const before = [listener, connector].map(({ child }) => residentBytes(child.pid!))
  const { socket } = client(t, port)
  const piece = randomBytes(1 << 20)
  let written = 0
  let isStuck = false
  while (!isStuck && written < 4 * UNDER_WAY) {
    written += piece.length
    if (!socket.write(piece)) isStuck = await stuck(socket)
  }
  t.ok(isStuck, 'it stops')
  t.ok(written <= UNDER_WAY, `${written} bytes are under way`)
  for (const [i, { child }] of [listener, connector].entries()) {
    const grown = residentBytes(child.pid!) - before[i]!
    t.ok(grown < GROWTH, `grown by ${grown} bytes`)
  }
  // And goes on with all of it.
  const reader = new Peer(far!)
  far!.resume()
  socket.end()
  t.equal(await reader.ended, 'end')
  t.equal(reader.bytes, written)
})

/** Nothing leaves for a while: the time is what is tested. */
function stuck(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.off('drain', goesOn)
      resolve(true)
    }, 2000)
    const goesOn = () => {
      clearTimeout(timer)
      resolve(false)
    }
    socket.once('drain', goesOn)
  })
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}
