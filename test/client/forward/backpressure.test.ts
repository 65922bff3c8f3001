/** A reader that stops. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import t from 'tap'
import { startProgram } from '../../support/program.js'
import { client, Peer, startPair, startService } from './rig.js'

t.setTimeout(120_000)

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
