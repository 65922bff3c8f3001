import type { Role } from '../role.js'
import { answer, type HoodyOptions } from './answering.js'
import { Calling } from './calling.js'
import { openWebSocket } from './open-web-socket.js'
import { Tunnel } from './tunnel.js'

/**
 * Forwards to a `forwardTcp` of Hoody, or to another one that speaks as it does, until the signal is aborted.
 * @throws TimedOut, RequestRefused, ConnectionLost, NotPossible, and Error when it cannot listen there
 */
export async function forwardAsHoody(role: Role, given: Omit<HoodyOptions, 'call'>): Promise<never> {
  const call = async (waitS: number) => new Tunnel(await openWebSocket(given.place, `ws&wait=${waitS}`))
  const options = { ...given, call }
  try {
    return await (role === 'listen' ? new Calling(options).run() : answer(options))
  } finally {
    given.connections.cutAll()
  }
}
