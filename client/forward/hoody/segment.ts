import type { ClientRequest, IncomingMessage } from 'node:http'
import type { NamedPlace } from '../../place.js'
import { responseTo, send } from '../../wire/exchange.js'
import { ConnectionLost, refusal } from '../../wire/failures.js'
import { lineSplitter, readStatusLine } from '../../wire/status-lines.js'
import { get, streamOf } from '../ways/pipes.js'

/** What a pipe of a direction says of itself. */
export interface Marker {
  /** Another pipe follows it, so that its end is none of the direction. Those before this was thought of do not say so. */
  readonly hasNext: boolean
  /** It is the last one, and empty. */
  readonly isLast: boolean
}

const HEADER = 'x-hoody-pipe'
const KIND = 'kind=tcp-forward; segments=1'

function readMarker(value: string | string[] | undefined): Marker {
  const words = String(value ?? '')
    .split(/[;,]/)
    .map((word) => word.trim().toLowerCase())
  return { hasNext: words.includes('segments=1'), isLast: words.includes('fin=1') }
}

/** A pipe of the direction that leaves. */
export interface Leaving {
  readonly request: ClientRequest
  /** Resolves when somebody receives it: what is written before is lost with the place. @throws RequestRefused, ConnectionLost */
  readonly taken: Promise<void>
  /** Resolves when the server has said that all has arrived. @throws RequestRefused, ConnectionLost */
  readonly complete: Promise<void>
}

export function leave(place: NamedPlace, isLast: boolean, waitS: number, signal: AbortSignal): Leaving {
  const headers = {
    'content-type': 'application/octet-stream',
    'transfer-encoding': 'chunked',
    [HEADER]: isLast ? `${KIND}; fin=1` : KIND,
  }
  const request = send(place, { method: 'PUT', mode: `wait=${waitS}`, headers, signal })
  let setTaken!: () => void
  const streaming = new Promise<void>((resolve) => {
    setTaken = resolve
  })
  const complete = read(request, setTaken)
  // Over before that was said: it never had a receiver.
  const taken = Promise.race([streaming, complete])
  for (const each of [taken, complete]) each.catch(() => {})
  return { request, taken, complete }
}

async function read(request: ClientRequest, setTaken: () => void): Promise<void> {
  const response = await responseTo(request)
  if (response.statusCode !== 200) {
    const error = await refusal(response, '')
    request.destroy()
    throw error
  }
  let isComplete = false
  let problem = 'the other side is gone'
  const take = lineSplitter((text) => {
    const line = readStatusLine(text)
    if (line.kind === 'streaming') setTaken()
    else if (line.kind === 'complete') isComplete = true
    else if (line.kind === 'error' && !/disconnected/i.test(line.text)) problem = line.text
  })
  response.setEncoding('utf8')
  try {
    for await (const text of response) take(text)
  } catch {
    problem = 'connection lost'
  }
  if (!isComplete) throw new ConnectionLost(problem)
}

/** A pipe of the direction that comes. */
export interface Coming {
  readonly stream: IncomingMessage
  readonly marker: Marker
}

/** @throws RequestRefused, ConnectionLost */
export async function come(place: NamedPlace, waitS: number, signal: AbortSignal): Promise<Coming> {
  const stream = await streamOf(get(place, waitS, signal))
  return { stream, marker: readMarker(stream.headers[HEADER]) }
}
