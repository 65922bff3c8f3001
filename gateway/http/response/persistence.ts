import type { Framing } from '../framing.js'

/**
 * What becomes of the connection after an answer (RFC 9112 section 9).
 *
 * `keep`: it takes the next request. `discard`: the client is asked to close. Until it does, its upload is read and
 * dropped: closing at once would reset the connection, and a client that reads only after it has written everything
 * would never see the answer. `close`: closed at once, because the start of the next request cannot be found.
 */
export type Persistence = 'keep' | 'discard' | 'close'

/** What becomes of the connection when a request is answered before its body has been read. */
export function persistenceAfter(framing: Framing): Persistence {
  return framing.length === 0 ? 'keep' : 'discard'
}
