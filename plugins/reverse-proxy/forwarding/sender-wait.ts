import type { ClientRequest, IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Upstream } from '../pool/upstream.js'
import type { OutgoingRequest } from '../relay/outgoing-request.js'
import type { Service } from '../service/service.js'
import { openUpstreamRequest } from './upstream-request.js'

/** An answer of a pipegate is much shorter. */
const MOST_BYTES = 64 * 1024
const ANSWER_MS = 5000
/** A sender may be on its way when its name moves: it is asked for a few times. */
const TRIES = 5
const PAUSE_MS = 500

/** What a pipegate says of a name. */
type State = 'waits' | 'streams' | 'unknown'

/** Of the head of an upload: they tell about its body, which the question has not. */
const OF_BODY = /^(content-|transfer-encoding$|expect$|range$|x-piping$)/

/**
 * Whether a sender that has been told nothing waits at this pipegate: by `?status`, which has to be allowed to whoever sends. A
 * stream that flows is never taken for one that waits; what is not known is not either. Never rejects.
 * @param isOver ends the questions
 */
export async function senderWaits(
  service: Service,
  outgoing: OutgoingRequest,
  upstream: Upstream,
  isOver: () => boolean,
): Promise<boolean> {
  for (let i = 0; i < TRIES && !isOver(); i++) {
    if (i > 0) await sleep(PAUSE_MS)
    const state = await ask(service, outgoing, upstream)
    if (state !== 'unknown') return state === 'waits'
  }
  return false
}

function ask(service: Service, { url, headers, ...rest }: OutgoingRequest, upstream: Upstream): Promise<State> {
  const [path = ''] = url.split('?', 1)
  const outgoing: OutgoingRequest = {
    ...rest,
    method: 'GET',
    url: `${path}?status`,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_BODY.test(name))),
  }
  return new Promise((resolve) => {
    const unknown = () => resolve('unknown')
    const onRequest = (request: ClientRequest) => {
      request.setTimeout(ANSWER_MS, () => request.destroy())
      request.on('response', (response) => read(response, resolve)).on('close', unknown)
      request.end()
    }
    openUpstreamRequest({ service, outgoing, upstream, isFresh: false, onRequest, onError: unknown })
  })
}

function read(response: IncomingMessage, done: (state: State) => void): void {
  let text = ''
  response.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
    if (text.length > MOST_BYTES) response.destroy()
  })
  response
    .on('error', () => done('unknown'))
    .on('end', () => done(response.statusCode === 200 ? stateOf(text) : 'unknown'))
}

function stateOf(text: string): State {
  try {
    const { state, hasSender } = JSON.parse(text) as { state?: unknown; hasSender?: unknown }
    if (state === 'streaming') return 'streams'
    return state === 'waiting' && hasSender === true ? 'waits' : 'unknown'
  } catch {
    return 'unknown'
  }
}
