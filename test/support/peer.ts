/** A client that keeps nothing of what it receives: it hands every piece on, and can be told how much to read at once. */

import { ClientSocket, connected, openReader, openSocket, type Way } from './client-socket.js'

export { WAYS, type Way } from './client-socket.js'

export interface PeerOptions {
  readonly port: number
  readonly tls?: boolean
  /** The most that one read brings, in bytes. Over TLS the record decides. */
  readonly readBytes?: number
  readonly onBytes: (bytes: Buffer) => void
}

/** Opens a connection. Rejects when it cannot be established. */
export async function connectPeer(options: PeerOptions): Promise<Peer> {
  const { port, onBytes } = options
  if (options.tls !== true) {
    const socket = openReader(port, Buffer.allocUnsafe(options.readBytes ?? 64 * 1024), onBytes)
    const peer = new Peer(socket, socket)
    await connected(socket, socket)
    return peer
  }
  const { socket, wire } = openSocket(port, '127.0.0.1', true)
  const peer = new Peer(socket, wire)
  socket.on('data', onBytes)
  await connected(socket, wire)
  return peer
}

export class Peer extends ClientSocket {
  /** Ends the connection. `halfClose` is a FIN with reading going on, over TLS behind a close_notify; a reset overtakes what is on its way. */
  leave(way: Way): void {
    if (way === 'halfClose') this.halfClose()
    else if (way === 'reset') this.reset()
    else this.destroy()
  }
}
