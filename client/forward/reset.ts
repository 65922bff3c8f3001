import type { Socket } from 'node:net'

/**
 * Ends a connection at once so that its program sees that it was cut. A Unix socket has no such sign: it just ends.
 * @param wire what is below TLS
 */
export function reset(socket: Socket, wire = socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  // libuv refuses a reset while it sends an end. Node would take the socket for closed: it stays open, and the process cannot exit.
  if (isEnding && !socket.destroyed) socket.once('finish', () => resetNow(wire))
  else resetNow(wire)
}

function resetNow(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
