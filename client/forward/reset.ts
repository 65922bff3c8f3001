import type { Socket } from 'node:net'

/** Ends a connection at once so that its program sees that it was cut. A Unix socket has no such sign: it just ends. */
export function reset(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  // libuv refuses a reset while it sends an end, and the connection would stay open.
  if (isEnding && !socket.destroyed) socket.once('finish', () => resetNow(socket))
  else resetNow(socket)
}

function resetNow(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
