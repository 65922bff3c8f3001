import type { Socket } from 'node:net'

/**
 * Ends a connection so that its program sees that it was cut. A Unix socket has no such sign: it just ends.
 *
 * Node's `resetAndDestroy` writes first what is waiting, and ends the stream: an end (FIN) goes before the reset then, and a program that
 * reads takes what it has for the whole. And who does not read would never be reset. What it sets says the same to `destroy`, which
 * does it at once; test/platform pins that.
 */
export function reset(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  // The system refuses a reset while it sends an end, and the connection would stay open.
  if (isEnding && !socket.destroyed) socket.once('finish', () => resetNow(socket))
  else resetNow(socket)
}

function resetNow(socket: Socket): void {
  if (socket.remoteFamily !== undefined) Object.assign(socket, { resetAndClosing: true })
  socket.destroy()
}
