import type { Snapshot } from '../../plugins/transfer-status/snapshot.js'
import { readSnapshot } from './events.js'
import { ask, type Place, responseTo, send } from './exchange.js'

/** It is asked in passing: nobody waits longer for it, in milliseconds. */
const PATIENCE_MS = 5000
/** The longest status that is read, in bytes. */
const LONGEST = 65_536

/**
 * What the server tells about a name, if it is one that tells. A Piping Server takes `GET ?status` for a receiver, and hands it the
 * stream; so the first question is a `HEAD`, to which that one says 405.
 */
export class ServerStatus {
  #tells: boolean | undefined

  constructor(
    readonly place: Place,
    readonly signal: AbortSignal,
  ) {}

  /** undefined when the server does not tell, or not us, or cannot be reached at the moment. */
  async now(): Promise<Snapshot | undefined> {
    return this.#ask('status')
  }

  /** The transfer with this id, undefined also when it is not known. */
  async of(transferId: string): Promise<Snapshot | undefined> {
    return this.#ask(`status&transfer=${encodeURIComponent(transferId)}`)
  }

  async #ask(mode: string): Promise<Snapshot | undefined> {
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(PATIENCE_MS)])
    try {
      this.#tells ??= await this.#probe(signal)
      if (!this.#tells) return undefined
      return readSnapshot(await ask(this.place, { method: 'GET', mode, signal }, LONGEST))
    } catch {
      return undefined
    }
  }

  async #probe(signal: AbortSignal): Promise<boolean> {
    const { statusCode, headers } = await head(this.place, signal)
    return statusCode === 200 && /^application\/json\b/i.test(headers['content-type'] ?? '')
  }
}

async function head(place: Place, signal: AbortSignal) {
  const outgoing = send(place, { method: 'HEAD', mode: 'status', headers: { accept: 'application/json' }, signal })
  const response = await responseTo(outgoing)
  response.resume()
  return response
}
