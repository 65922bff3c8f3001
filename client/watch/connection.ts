import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { Snapshot } from '../../plugins/transfer-status/snapshot.js'
import type { TlsOptions } from '../certificates.js'
import type { Address } from '../wire/address.js'
import { type ProgressEvent, readEvent, readSnapshot } from '../wire/events.js'
import { ConnectionLost, RequestRefused, reasonOf, refusal } from '../wire/failures.js'

/** The longest event, in characters. One has some hundred. */
const LONGEST_EVENT = 65_536
/** So much of an answer that is no stream is read, in characters. */
const LONGEST_ANSWER = 65_536

export interface Client {
  readonly address: Address
  readonly headers: Readonly<Record<string, string>>
  /** Which certificates are trusted, and which one is shown, where that is not as usual. */
  readonly tls?: TlsOptions
  /** A server that says nothing for so long, in milliseconds, is lost: it sends a comment every 15 s. */
  readonly silenceMs: number
  readonly signal: AbortSignal
}

/**
 * The events of one connection, until the server ends it.
 * @param onId is told the id of each event that has one, before the event
 * @throws ConnectionLost, RequestRefused
 */
export async function* events(
  client: Client,
  lastEventId: string | undefined,
  onId: (id: string) => void,
): AsyncGenerator<ProgressEvent> {
  const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const chunks = request(client, 'progress', { accept: 'text/event-stream', 'cache-control': 'no-cache', ...resume })
  const isStream = ({ statusCode, headers }: IncomingMessage) =>
    statusCode === 200 && /^text\/event-stream\b/i.test(headers['content-type'] ?? '')
  let queue: EventSourceMessage[] = []
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: (message) => queue.push(message),
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded')
        throw new ConnectionLost('the server sent an event that is too long')
    },
  })
  for await (const chunk of chunks(isStream)) {
    parser.feed(chunk)
    for (const { event, data, id } of queue) {
      if (id !== undefined) onId(id)
      const read = readOrLose(() => readEvent(event, data))
      if (read !== undefined) yield read
    }
    queue = []
  }
}

/**
 * What the server knows of one transfer, undefined when it does not know it.
 * @throws ConnectionLost, RequestRefused when it may know it later
 */
export async function askFor(client: Client, transferId: string): Promise<Snapshot | undefined> {
  const mode = `status&transfer=${encodeURIComponent(transferId)}`
  const chunks = request(client, mode, { accept: 'application/json' })
  let body = ''
  try {
    for await (const chunk of chunks(({ statusCode }) => statusCode === 200)) {
      body += chunk
      if (body.length > LONGEST_ANSWER) throw new ConnectionLost('the server sent an answer that is too long')
    }
  } catch (error) {
    if (error instanceof RequestRefused && !error.isPassing) return undefined
    throw error
  }
  return readOrLose(() => readSnapshot(body))
}

function readOrLose<T>(read: () => T): T {
  try {
    return read()
  } catch {
    throw new ConnectionLost('the server sent something that is no progress')
  }
}

/** The text of a response that is as it should be, piece by piece. Not by fetch, which ends a body that is quiet for long. */
function request({ address, headers, tls, silenceMs, signal }: Client, mode: string, own: Record<string, string>) {
  return async function* (isWanted: (response: IncomingMessage) => boolean): AsyncGenerator<string> {
    const { request } = address.secure ? https : http
    const outgoing = request({
      ...address.server,
      path: address.target(mode),
      headers: { 'user-agent': 'pipegate-watch', ...own, ...headers },
      agent: false,
      ...tls,
      signal,
    })
    let isSilent = false
    const silence = setTimeout(() => {
      isSilent = true
      outgoing.destroy()
    }, silenceMs)
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        // It stays: an error after the response is one of the response too, and must not be nobody's.
        outgoing.on('error', reject).once('response', resolve).end()
      })
      response.setEncoding('utf8')
      if (!isWanted(response))
        throw await refusal(response, 'The server shows no progress there: it answered with something else.')
      for await (const chunk of response) {
        silence.refresh()
        yield chunk
      }
    } catch (error) {
      if (error instanceof RequestRefused) throw error
      throw isSilent
        ? new ConnectionLost(`nothing was heard for ${silenceMs / 1000} s`)
        : new ConnectionLost(reasonOf(error as Error))
    } finally {
      clearTimeout(silence)
      outgoing.destroy()
    }
  }
}
