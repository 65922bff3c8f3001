/** A connection in which nobody says anything. */

import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Carrier } from '../../../client/forward/carry.js'
import { carry } from '../../../client/forward/carry.js'
import { PipePair } from '../../../client/forward/hoody/pipe-pair.js'
import type { Role } from '../../../client/forward/role.js'
import { DuplexTransport } from '../../../client/forward/ways/duplex.js'
import { PipesTransport } from '../../../client/forward/ways/pipes.js'
import type { Way } from '../../../client/forward/ways/way.js'
import type { NamedPlace } from '../../../client/place.js'
import { placeOf } from '../../../client/place.js'
import { startGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'
import { Peer } from './rig.js'

/** The gateway's idle limit in seconds: the lowest there is. */
const IDLE_S = '1'
/** So long nobody says anything, in milliseconds. */
const SILENCE_MS = 3500

/** What carries one side of a connection. @param lookMs how often it looks for silence */
type Carries = (place: NamedPlace, role: Role, lookMs: number) => Carrier

const ID = 'an-id-of-this-one'

const WAYS: Readonly<Record<string, Carries>> = {
  duplex: (place, role, lookMs) => framedOften(new DuplexTransport(place).open(ID, role), lookMs),
  pipes: (place, role, lookMs) => framedOften(new PipesTransport(place).open(ID, role), lookMs),
  'hoody-pipes': (place, role, lookMs) => new PipePair(place, role, 30, lookMs),
}

function framedOften(way: Way, lookMs: number): Carrier {
  return { name: way.name, carry: (socket, traffic, stopped) => carry(socket, way, traffic, stopped, lookMs) }
}

/** Both ends of a connection that goes through a gateway. */
async function through(t: Test, place: NamedPlace, carries: Carries, lookMs: number): Promise<readonly [Peer, Peer]> {
  const sides = (['listen', 'connect'] as const).map(async (role) => {
    const [program, socket] = await pair(t)
    const carried = carries(place, role, lookMs).carry(socket, { sent: 0, received: 0 }, new Promise<never>(() => {}))
    carried.catch(() => {})
    return new Peer(program)
  })
  const [near, far] = await Promise.all(sides)
  return [near!, far!]
}

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

for (const [way, carries] of Object.entries(WAYS)) {
  t.test(`by ${way}: silence that lasts longer than the idle limit cuts nothing, as it is filled`, async (t) => {
    const gateway = await startGateway(t, { idle: IDLE_S })
    const flags = { server: gateway.origin, token: undefined, header: [], cacert: undefined }
    const place = (name: string) => placeOf(name, flags, { XDG_CONFIG_HOME: t.testdir() })
    // The one that is not filled says that the limit is one.
    const [filled, empty] = await Promise.all([
      through(t, await place('filled'), carries, 50),
      through(t, await place('empty'), carries, 60_000),
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
