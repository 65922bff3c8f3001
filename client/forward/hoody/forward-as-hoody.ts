import type { Role } from '../role.js'
import type { HoodyName } from '../ways/way.js'
import { answer, type HoodyOptions } from './answering.js'
import { Calling } from './calling.js'
import type { Call } from './counterpart.js'
import { openWebSocket } from './open-web-socket.js'
import { PipePair } from './pipe-pair.js'
import { Tunnel } from './tunnel.js'

/**
 * Forwards to a `forwardTcp` of Hoody, or to another one that speaks as it does, until the signal is aborted.
 * @throws TimedOut, RequestRefused, ConnectionLost, NotPossible, and Error when it cannot listen there
 */
export async function forwardAsHoody(via: HoodyName, role: Role, given: Omit<HoodyOptions, 'call'>): Promise<never> {
  const { place } = given
  const calls: Readonly<Record<HoodyName, Call>> = {
    ws: async (waitS) => new Tunnel(await openWebSocket(place, `ws&wait=${waitS}`)),
    'hoody-pipes': async (waitS) => new PipePair(place, role, waitS),
  }
  const options = { ...given, call: calls[via] }
  try {
    return await (role === 'listen' ? new Calling(options).run() : answer(options))
  } finally {
    given.connections.cutAll()
  }
}
