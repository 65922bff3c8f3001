import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import contentDisposition from 'content-disposition'
import { TimedOut } from '../screen/ending.js'
import { backoffMs } from '../wire/backoff.js'
import { writeDescription } from '../wire/description.js'
import type { Place } from '../wire/exchange.js'
import { ConnectionLost, RequestRefused } from '../wire/failures.js'
import { type Mode, modeOf } from '../wire/mode.js'
import { ServerStatus } from '../wire/server-status.js'
import { type SendNews, type Sent, Turn } from './turn.js'
import type { Outgoing } from './what/outgoing.js'

export interface SendOptions extends Mode {
  readonly place: Place
  readonly outgoing: Outgoing
  /** Milliseconds that it waits for them in all; undefined: without end. */
  readonly waitMs: number | undefined
  readonly signal: AbortSignal
  readonly on: (news: SendNews | Trouble) => void
}

/** It will be tried again. */
export interface Trouble {
  readonly event: 'trouble'
  /** Part of a sentence. */
  readonly why: string
  readonly retryMs: number
}

/** What one turn waits at most, in seconds: the longest that a server takes. */
const TURN_S = 3600
/** What is lost after so long, in milliseconds, was cut because it was silent. */
const SILENT_MS = 3000
/** So much later than asked for, in milliseconds, the server may say that nobody has come. */
const GRACE_MS = 2000

/**
 * Sends, when the receivers have come: turn after turn as long as nothing has been sent. What fails before that is tried again, once
 * the server has been there at all; what fails after it is told.
 * @throws TimedOut, RequestRefused, ConnectionLost, TransferFailed, and errors of what is sent
 */
export async function sendWhenWanted(options: SendOptions): Promise<Sent> {
  const { place, waitMs, signal, on } = options
  const status = new ServerStatus(place, signal)
  const until = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs
  let failures = 0
  for (let wasThere = false; ; ) {
    const leftMs = until - performance.now()
    if (leftMs <= 0) throw new TimedOut('Timed out waiting for receivers.')
    const turn = new Turn({
      ...options,
      status,
      patienceMs: leftMs + GRACE_MS,
      mode: modeOf(options, Math.max(1, Math.min(TURN_S, Math.ceil(leftMs / 1000)))),
      headers: headersOf(options.outgoing),
      transferId: randomBytes(16).toString('base64url'),
      isVerified: options.isVerified && options.kind !== 'live',
      on: (news) => {
        wasThere = true
        failures = 0
        on(news)
      },
    })
    const beganAt = performance.now()
    try {
      return await turn.run()
    } catch (error) {
      if (turn.hasBegun || signal.aborted) throw error
      // The place was given back; or there was no answer at all, and then the time is over.
      if (error instanceof TimedOut) continue
      const isPassing = error instanceof RequestRefused ? error.isPassing : error instanceof ConnectionLost && wasThere
      if (!isPassing) throw error
      // A proxy has cut what was silent: the place is taken again at once.
      if (performance.now() - beganAt >= SILENT_MS) continue
      failures++
      const retryMs = Math.max(backoffMs(failures), error instanceof RequestRefused ? error.retryAfterMs : 0)
      on({ event: 'trouble', why: (error as Error).message, retryMs })
      await sleep(retryMs, undefined, { signal })
    }
  }
}

function headersOf({ description, type, fileName, length, about }: Outgoing): Record<string, string | number> {
  return {
    'content-type': type,
    'x-piping': writeDescription(description),
    ...(fileName === undefined ? {} : { 'content-disposition': contentDisposition.create(fileName) }),
    ...(length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': length }),
    ...(length !== undefined || about === undefined ? {} : { 'x-pipe-size': about }),
  }
}
