import type { Framing } from './framing.js'

/**
 * What becomes of the connection after an answer.
 *
 * `keep`: it takes the next request. `discard`: the client is told to close; until it does, its upload is read and
 * dropped, for closing at once would reset the connection and a client that reads only when it has written everything
 * would never see the answer. `close`: closed at once, because the next request cannot be found in what follows.
 */
export type AfterAnswer = 'keep' | 'discard' | 'close'

/** What becomes of the connection when such a request has been answered at once. */
export function afterAnswer(framing: Framing): AfterAnswer {
  return framing.length === 0 ? 'keep' : 'discard'
}
