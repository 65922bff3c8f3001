import type { Parameters } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'

/** For how long the same request counts as the browser's own. Chromium asks again at once, and up to five times. */
const RETRY_MS = 10_000
/** Of the last cuts only so many are known. */
const MOST = 1000

/**
 * Downloads of browsers that were cut. Chromium asks again by itself for what broke off, before anybody has seen that it did; here
 * that request would wait for another sender under the name, and take the place of whoever wants what that one sends. It is the same
 * request to the letter: address, query, client. A person who asks again comes by another address (the page numbers its clicks) or
 * later; and programs, which ask again because they were told to, are no browsers.
 */
export class CutDownloads {
  /** When they were cut, in the order in which they were. */
  readonly #cuts = new Map<string, number>()

  /** @param now a clock in milliseconds */
  constructor(readonly now: () => number = () => performance.now()) {}

  /** What the request is known by; undefined when no browser would repeat it by itself. */
  ticketOf(request: RequestView, parameters: Parameters): string | undefined {
    if (parameters.get('download') === undefined && parameters.get('filename') === undefined) return undefined
    // It knows what it has, and asks for the rest.
    if (request.header('range') !== '') return undefined
    const agent = request.header('user-agent')
    // A script's `fetch` is not repeated either.
    const isBrowser = agent.startsWith('Mozilla/') && /^(navigate)?$/.test(request.header('sec-fetch-mode'))
    return isBrowser ? [request.path, request.query, request.remoteAddress, agent].join('\n') : undefined
  }

  /** The download of this ticket was cut after it had begun. */
  note(ticket: string): void {
    this.#cuts.delete(ticket)
    this.#cuts.set(ticket, this.now())
    for (const [oldest, at] of this.#cuts) {
      if (this.#cuts.size <= MOST && this.now() - at < RETRY_MS) break
      this.#cuts.delete(oldest)
    }
  }

  /** Whether this is the browser's own attempt to get the rest of what was cut just now. */
  isRetry(ticket: string): boolean {
    const cutAt = this.#cuts.get(ticket)
    return cutAt !== undefined && this.now() - cutAt < RETRY_MS
  }
}
