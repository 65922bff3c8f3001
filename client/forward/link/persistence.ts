import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../../wire/backoff.js'
import { ConnectionLost, RequestRefused } from '../../wire/failures.js'
import { NotPossible } from './not-possible.js'

/** It will be tried again. */
export interface Trouble {
  /** Part of a sentence. */
  readonly why: string
  readonly retryMs: number
}

/** A server that was asked to wait does so at least for this time, in milliseconds. */
const SHORTEST_TURN_MS = 500
/** What is lost or refused after so long, in milliseconds, was cut because it was silent. */
const SILENT_MS = 3000
/** A place that is taken is tried for so often: who had it a moment ago may just have ended. */
const TAKEN_TRIES = 3
const TAKEN_MS = 300
/** A server that has never answered is asked so often, if it takes connections at all. */
const MOST_FAILURES = 4

/** Whether, and when, what did not work is tried again. One for all requests of a forward that take places. */
export class Persistence {
  /** It has had its places, or has been there long enough to know that nobody else has them. */
  #wasThere = false
  #failures = 0
  #taken = 0

  /** @param taken the sentence for a place that somebody else has */
  constructor(
    readonly taken: string,
    readonly on: (trouble: Trouble) => void,
  ) {}

  /** Both sides have met. */
  met(): void {
    this.#wasThere = true
    this.#failures = 0
  }

  /**
   * Returns when it is time for the next turn.
   * @param error undefined: it has ended as if nothing were wrong
   * @throws the error, when another turn would not help, or NotPossible
   */
  async afterTurn(error: Error | undefined, livedMs: number, signal: AbortSignal): Promise<void> {
    if (error instanceof NotPossible) throw error
    const isRefused = error instanceof RequestRefused
    if (livedMs >= SILENT_MS || (isRefused && error.status === 408)) this.#wasThere = true
    if (isTaken(error) && !this.#wasThere) {
      if (++this.#taken >= TAKEN_TRIES) throw new RequestRefused(error.status, this.taken, 0)
      await sleep(TAKEN_MS * (1 + Math.random()), undefined, { signal })
      return
    }
    if (!this.#mayPass(error)) throw error
    if (livedMs >= SILENT_MS || (isRefused && error.status === 408 && livedMs >= SHORTEST_TURN_MS)) {
      this.#failures = 0
      return
    }
    this.#failures++
    const retryMs = Math.max(backoffMs(this.#failures), isRefused ? error.retryAfterMs : 0)
    this.on({ why: error?.message ?? 'the server has ended it', retryMs })
    await sleep(retryMs, undefined, { signal })
  }

  #mayPass(error: Error | undefined): boolean {
    if (error === undefined) return true
    if (error instanceof RequestRefused) return error.isPassing || isTaken(error)
    return error instanceof ConnectionLost && (this.#wasThere || (error.wasOpen && this.#failures < MOST_FAILURES))
  }
}

/** The words are those of pipegate, of Hoody Pipe and of Piping Server. */
export function isTaken(error: unknown): error is RequestRefused {
  return (
    error instanceof RequestRefused &&
    (error.status === 409 || (error.status === 400 && /already|another sender|reached|running/i.test(error.message)))
  )
}
