import type { UwsContext } from './context.js'

/** How long a client may take to close a connection that is of no use any more. */
const MOST_MS = 10_000

/**
 * Over TLS, when all of a request has come whose answer had been given before: nothing more is read on this connection, as the answer
 * said, and its client has to close it. uWebSockets gives a connection thirty seconds behind an answer, but takes the last byte of a body
 * for the beginning of a response, and from then on gives it all the time there is. Without the helper it stays so.
 */
export function closeSpent({ sockets, clock }: Pick<UwsContext, 'sockets' | 'clock'>, socket: number): void {
  const connection = sockets.follow(socket)
  if (connection === 0) return
  // It is not reset when it is closed before.
  sockets.beginsAt(connection, 0)
  clock.after(MOST_MS, () => {
    sockets.beginsAt(connection, Number.MAX_SAFE_INTEGER)
    sockets.abandon(connection)
    sockets.unfollow(connection)
  })
}
