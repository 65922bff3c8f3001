/**
 * A client over TCP or TLS that keeps nothing of what it receives: it hands every piece on, can be told how much to read
 * at once, and how its connection ends.
 */

import { type Socket, connect as tcpConnect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'

export interface PeerOptions {
  readonly port: number
  readonly tls?: boolean
  /** The most that one read brings, in bytes. Over TLS the record decides. */
  readonly readBytes?: number
  readonly onBytes: (bytes: Buffer) => void
}

/** How a connection can be ended. */
export type Way = 'destroy' | 'reset' | 'halfClose'
export const WAYS: readonly Way[] = ['destroy', 'reset', 'halfClose']

/** Opens a connection. Rejects when it cannot be established. */
export async function connectPeer(options: PeerOptions): Promise<Peer> {
  const { port, onBytes } = options
  const host = '127.0.0.1'
  const buffer = Buffer.allocUnsafe(options.readBytes ?? 64 * 1024)
  const take = (count: number) => {
    onBytes(buffer.subarray(0, count))
    return true
  }
  if (options.tls !== true) {
    const socket = tcpConnect({ port, host, allowHalfOpen: true, noDelay: true, onread: { buffer, callback: take } })
    const peer = new Peer(socket, socket)
    await opened(socket, 'connect')
    return peer
  }
  const wire = tcpConnect({ port, host, allowHalfOpen: true, noDelay: true })
  const socket = tlsConnect({ socket: wire, rejectUnauthorized: false })
  const peer = new Peer(socket, wire)
  socket.on('data', onBytes)
  await opened(socket, 'secureConnect')
  return peer
}

function opened(socket: Socket, event: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    socket.once(event, resolve)
    socket.once('error', reject)
  })
}

export class Peer {
  /** Resolves when the socket is gone for good, in whatever way. Never rejects. */
  readonly closed: Promise<void>
  isClosed = false
  /** The server ended its side cleanly. */
  serverEnded = false
  errorCode: string | undefined
  readonly #socket: Socket
  /** Below TLS; otherwise the same. */
  readonly #wire: Socket

  constructor(socket: Socket, wire: Socket) {
    this.#socket = socket
    this.#wire = wire
    socket.on('end', () => {
      this.serverEnded = true
      if (!socket.writableEnded) socket.end()
    })
    for (const each of new Set([socket, wire])) {
      each.on('error', (error: NodeJS.ErrnoException) => {
        this.errorCode ??= error.code ?? error.message
      })
    }
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true
        resolve()
      })
    })
  }

  /** Resolves when the kernel took the bytes or the socket is gone, and never rejects. */
  send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    if (this.isClosed || this.#socket.destroyed || this.#socket.writableEnded) return Promise.resolve()
    const flushed = new Promise<void>((resolve) => {
      this.#socket.write(bytes, () => resolve())
    })
    return Promise.race([flushed, this.closed])
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends the connection. `halfClose` is a FIN with reading going on; over TLS both others are sudden. */
  leave(way: Way): void {
    if (way === 'halfClose') this.#socket.end()
    else if (way === 'reset' && this.#socket === this.#wire) this.#wire.resetAndDestroy()
    else {
      this.#wire.destroy()
      this.#socket.destroy()
    }
  }
}
