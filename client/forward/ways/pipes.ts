import type { ClientRequest, IncomingMessage } from 'node:http'
import { beside, type NamedPlace } from '../../place.js'
import { responseTo, send } from '../../wire/exchange.js'
import { ConnectionLost, refusal } from '../../wire/failures.js'
import { lineSplitter, readStatusLine } from '../../wire/status-lines.js'
import { otherOf, type Role } from '../role.js'
import type { Transport, Way } from './way.js'

/** So long one side waits for the other to take its place, in seconds. */
const WAIT_S = 30

/** Two pipes for each connection, one in each direction: what every gateway, Hoody Pipe and Piping Server has. */
export class PipesTransport implements Transport {
  readonly name = 'pipes'

  constructor(readonly place: NamedPlace) {}

  open(id: string, role: Role): Way {
    const stop = new AbortController()
    const out = put(beside(this.place, `${id}/to-${otherOf(role)}`), WAIT_S, stop.signal)
    const incoming = get(beside(this.place, `${id}/to-${role}`), WAIT_S, stop.signal)
    return {
      name: this.name,
      out,
      in: streamOf(incoming),
      delivered: handedOn(out),
      cut() {
        stop.abort()
        out.destroy()
        incoming.destroy()
      },
    }
  }
}

/**
 * A sender of frames or lines. It is answered when all is over, where the server knows `reply=end`: some proxies read no more of a
 * request that has been answered.
 */
export function put(place: NamedPlace, waitS: number, signal: AbortSignal): ClientRequest {
  const headers = { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' }
  return send(place, { method: 'PUT', mode: `reply=end&wait=${waitS}`, headers, signal })
}

/** A receiver. */
export function get(place: NamedPlace, waitS: number, signal: AbortSignal): ClientRequest {
  return send(place, { method: 'GET', mode: `wait=${waitS}`, signal })
}

/** What the sender sends. @throws ConnectionLost, RequestRefused */
export async function streamOf(request: ClientRequest): Promise<IncomingMessage> {
  const response = await responseTo(request)
  if (response.statusCode === 200) return response
  const error = await refusal(response, '')
  request.destroy()
  throw error
}

/** Resolves when the answer to a sender says that all has arrived. @throws ConnectionLost, RequestRefused */
export async function handedOn(request: ClientRequest): Promise<void> {
  const response = await responseTo(request)
  if (response.statusCode !== 200) {
    const error = await refusal(response, '')
    request.destroy()
    throw error.status === 502 ? new ConnectionLost(GONE) : error
  }
  await goodLines(response)
}

const GONE = 'the other side is gone'

/** Of a server that answers at once, and tells later. */
async function goodLines(response: IncomingMessage): Promise<void> {
  let problem: string | undefined
  const read = lineSplitter((text) => {
    const line = readStatusLine(text)
    if (line.kind === 'error') problem ??= /disconnected/i.test(line.text) ? GONE : line.text
  })
  response.setEncoding('utf8')
  try {
    for await (const text of response) read(text)
  } catch {
    problem ??= 'connection lost'
  }
  if (problem !== undefined) throw new ConnectionLost(problem)
}
