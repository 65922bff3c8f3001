import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import { beside, type NamedPlace } from '../../place.js'
import { lost, send } from '../../wire/exchange.js'
import type { Role } from '../role.js'
import { streamOf } from './pipes.js'
import type { Transport, Way } from './way.js'

/** So long one side waits for the other, in seconds. */
const WAIT_S = 30

/** One request of each side: its body is the other's response. For gateways that have `?duplex`, and no proxy between that answers late. */
export class DuplexTransport implements Transport {
  readonly name = 'duplex'

  constructor(readonly place: NamedPlace) {}

  open(id: string, _role?: Role): Way {
    const stop = new AbortController()
    const headers = { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' }
    const mode = `duplex&wait=${WAIT_S}`
    const request = send(beside(this.place, id), { method: 'PUT', mode, headers, signal: stop.signal })
    // Node ends a connection that says `close` with the response, whatever the request still has to send.
    request.once('response', () => {
      request.shouldKeepAlive = true
    })
    const response = streamOf(request)
    return {
      name: this.name,
      out: request,
      in: response,
      delivered: response.then((stream) => bothOver(request, stream)),
      cut() {
        stop.abort()
        request.destroy()
      },
    }
  }
}

/** Our end has been sent, and the other side's has come: there is no other sign of what has arrived. */
async function bothOver(request: ClientRequest, response: IncomingMessage): Promise<void> {
  const failed = once(request, 'error').then(([error]) => {
    throw lost(error as Error)
  })
  const { socket } = request
  await Promise.race([failed, Promise.all([finished(response), written(request)])])
  socket?.destroy()
}

async function written(request: ClientRequest): Promise<void> {
  if (!request.writableFinished) await once(request, 'finish')
}
