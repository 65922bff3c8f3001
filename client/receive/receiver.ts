import type { ClientRequest, IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { TimedOut } from '../screen/ending.js'
import { backoffMs } from '../wire/backoff.js'
import { Download } from '../wire/download/download.js'
import { type Place, responseTo } from '../wire/exchange.js'
import { ConnectionLost, RequestRefused, refusal } from '../wire/failures.js'
import { type Mode, modeOf } from '../wire/mode.js'
import { ServerStatus } from '../wire/server-status.js'
import { Incoming } from './incoming.js'

export interface ReceiveOptions extends Mode {
  readonly place: Place
  /** Milliseconds that it waits for the sender in all; undefined: without end. */
  readonly waitMs: number | undefined
  /** Bytes that are here already. */
  readonly from: number
  readonly signal: AbortSignal
  readonly on: (news: { readonly event: 'trouble'; readonly why: string; readonly retryMs: number }) => void
}

/**
 * What one request waits, in seconds. No byte goes to and fro meanwhile, and proxies cut what is silent for a minute; so it asks
 * again before that. One that is cut earlier is told by how long the requests live, and asked again before that.
 */
const TURN_S = 45
/** A server that has never answered is asked so often, if it takes connections at all. */
const MOST_FAILURES = 4
/** What is lost or refused after so long, in milliseconds, was cut because it was silent. */
const SILENT_MS = 3000
/** A server that was asked to wait for a second does so at least half of it, in milliseconds. */
const SHORTEST_TURN_MS = 500
/** So much later than asked for, in milliseconds, the server may say that nobody has come. */
const GRACE_MS = 2000

/**
 * Waits for a sender, in turns, and resolves when its stream begins.
 * @throws TimedOut, RequestRefused, ConnectionLost
 */
export async function receiveWhenSent(options: ReceiveOptions): Promise<Incoming> {
  const { place, waitMs, signal, on } = options
  const status = new ServerStatus(place, signal)
  const until = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs
  let failures = 0
  let turnS = TURN_S
  for (let wasThere = false; ; ) {
    const leftMs = until - performance.now()
    if (leftMs <= 0) throw new TimedOut('Timed out waiting for the sender.')
    const beganAt = performance.now()
    try {
      return await turn(options, status, Math.max(1, Math.min(turnS, Math.ceil(leftMs / 1000))), leftMs)
    } catch (error) {
      if (signal.aborted) throw error
      const isRefused = error instanceof RequestRefused
      const livedMs = performance.now() - beganAt
      const wasSilent = livedMs >= SILENT_MS
      if (isRefused || wasSilent) wasThere = true
      const isPassing = isRefused
        ? error.isPassing
        : error instanceof ConnectionLost && (wasThere || (error.wasOpen && failures < MOST_FAILURES))
      if (!isPassing) throw error
      // Said at once it is no turn that is over.
      const isOwnTurn = isRefused && error.status === 408 && livedMs >= SHORTEST_TURN_MS
      if (!isOwnTurn && wasSilent) turnS = Math.max(1, Math.min(turnS, Math.floor((0.8 * livedMs) / 1000)))
      if (isOwnTurn || wasSilent) {
        failures = 0
        continue
      }
      failures++
      const retryMs = Math.max(backoffMs(failures), isRefused ? error.retryAfterMs : 0)
      on({ event: 'trouble', why: (error as Error).message, retryMs })
      await sleep(retryMs, undefined, { signal })
    }
  }
}

async function turn(options: ReceiveOptions, status: ServerStatus, waitS: number, leftMs: number): Promise<Incoming> {
  const { place, from, isVerified, signal } = options
  const headers = { accept: '*/*', ...(from > 0 ? { range: `bytes=${from}-` } : {}) }
  const download = new Download(place, { method: 'GET', mode: modeOf(options, waitS), headers, signal })
  const { request } = download
  const response = await answerTo(request, leftMs + GRACE_MS)
  const { statusCode } = response
  if (statusCode === 200 || (statusCode === 206 && from > 0)) {
    try {
      return new Incoming(response, download.body(response), status, isVerified, place, from)
    } catch (error) {
      request.destroy()
      throw error
    }
  }
  const error = await refusal(response, '')
  request.destroy()
  throw error
}

/** A server that does not answer at all does not keep anybody who has said how long to wait. @param ms Infinity: as long as it takes */
async function answerTo(request: ClientRequest, ms: number): Promise<IncomingMessage> {
  if (ms === Number.POSITIVE_INFINITY) return responseTo(request)
  const late = setTimeout(
    () => request.destroy(new TimedOut('Timed out waiting for the sender: the server says nothing.')),
    // A timer takes no longer time than this.
    Math.min(ms, 0x7fffffff),
  )
  try {
    return await responseTo(request)
  } finally {
    clearTimeout(late)
  }
}
