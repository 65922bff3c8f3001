/** A connection in which nobody says anything. */

import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { carry } from '../../../client/forward/carry.js'
import { DuplexTransport } from '../../../client/forward/ways/duplex.js'
import { PipesTransport } from '../../../client/forward/ways/pipes.js'
import type { Transport } from '../../../client/forward/ways/way.js'
import { placeOf } from '../../../client/place.js'
import { startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { Peer } from './rig.js'

/** The gateway's idle limit in seconds: the lowest there is. */
const IDLE_S = '1'
/** So long nobody says anything, in milliseconds. */
const SILENCE_MS = 3500

/** Both ends of a connection that goes through a gateway. @param lookMs how often each forward looks for silence */
async function through(t: Test, transport: Transport, lookMs: number): Promise<readonly [near: Peer, far: Peer]> {
  const sides = (['listen', 'connect'] as const).map(async (role) => {
    const [program, socket] = await pair(t)
    const carried = carry(socket, transport.open('an-id-of-this-one', role), { sent: 0, received: 0 }, NEVER, lookMs)
    carried.catch(() => {})
    return new Peer(program)
  })
  const [near, far] = await Promise.all(sides)
  return [near!, far!]
}

const NEVER = new Promise<never>(() => {})

async function pair(t: Test): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const program = connect({ port: await listenOnLoopback(server), host: '127.0.0.1', allowHalfOpen: true })
  const socket = await accepted
  t.teardown(() => {
    for (const each of [program, socket]) each.destroy()
    server.close()
  })
  return [program, socket]
}

for (const way of [DuplexTransport, PipesTransport]) {
  t.test(`by ${way.name}: silence that lasts longer than the idle limit cuts nothing, as it is filled`, async (t) => {
    const gateway = await startGateway(t, { idle: IDLE_S })
    const flags = { server: gateway.origin, token: undefined, header: [], cacert: undefined }
    const place = (name: string) => placeOf(name, flags, { XDG_CONFIG_HOME: t.testdir() })
    // The one that is not filled says that the limit is one.
    const [filled, empty] = await Promise.all([
      through(t, new way(await place('filled')), 200),
      through(t, new way(await place('empty')), 60_000),
    ])
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS))
    t.same(
      empty.map(({ over }) => over),
      ['cut', 'cut'],
    )
    for (const [says, hears] of [filled, [...filled].reverse()] as Array<readonly [Peer, Peer]>) {
      says.socket.end('still here')
      t.equal(await hears.ended, 'end')
      t.equal(hears.read.toString(), 'still here')
    }
  })
}
