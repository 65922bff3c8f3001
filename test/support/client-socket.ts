/** What the clients of the tests have in common: a socket, TLS on it or not, and how it ended. */

import { type Socket, connect as tcpConnect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import { reset } from '../../client/forward/reset.js'

/** Ways to end a connection. */
export type Way = 'destroy' | 'reset' | 'halfClose'
export const WAYS: readonly Way[] = ['destroy', 'reset', 'halfClose']

const TCP = { allowHalfOpen: true, noDelay: true } as const

/** A TCP socket, or a TLS socket and the TCP socket below it, that is being connected. */
export function openSocket(
  port: number,
  host: string,
  tls: boolean,
): { readonly socket: Socket; readonly wire: Socket } {
  const wire = tcpConnect({ port, host, ...TCP })
  return { socket: tls ? tlsConnect({ socket: wire, rejectUnauthorized: false }) : wire, wire }
}

/** A plain TCP socket, being connected, that reads at most as much as the buffer holds at once. */
export function openReader(port: number, buffer: Buffer, onBytes: (bytes: Buffer) => void): Socket {
  const callback = (count: number) => {
    onBytes(buffer.subarray(0, count))
    return true
  }
  return tcpConnect({ port, host: '127.0.0.1', ...TCP, onread: { buffer, callback } })
}

/** Resolves when it is connected, over TLS after the handshake. Rejects when that fails. */
export async function connected(socket: Socket, wire: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once(socket === wire ? 'connect' : 'secureConnect', resolve)
    socket.once('error', reject)
    if (socket !== wire) wire.once('error', reject)
  })
}

export class ClientSocket {
  /** Resolves when the socket is gone for good, in whatever way. Never rejects. */
  readonly closed: Promise<void>
  /** The server sent FIN. A reset leaves this false. */
  endedCleanly = false
  /** The socket is gone: both directions are over. */
  isClosed = false
  /** Hears of an end that Node calls clean, before it is answered with one. */
  onEnd: (() => void) | undefined
  /** `ECONNRESET`, `EPIPE` ... or undefined. */
  errorCode: string | undefined
  readonly #socket: Socket
  /** Below TLS; otherwise the same. */
  readonly #wire: Socket

  constructor(socket: Socket, wire: Socket) {
    this.#socket = socket
    this.#wire = wire
    socket.on('end', () => {
      this.endedCleanly = true
      this.onEnd?.()
      // allowHalfOpen lets halfClose() send FIN and read on. A FIN of the server is answered with ours after what was
      // already given to send(), as an ordinary client does.
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

  get localPort(): number {
    return this.#wire.localPort ?? 0
  }

  /**
   * Writes bytes; strings go out as Latin-1, one byte per character. Resolves when the kernel took them or the socket is
   * gone, and never rejects: a server that hangs up in the middle is an ordinary outcome, told by `closed`.
   */
  send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    // In a later turn: somebody who goes on sending would otherwise never let the loop come to 'close'.
    if (this.isClosed || this.#socket.destroyed || this.#socket.writableEnded) return nextTurn()
    const flushed = new Promise<void>((resolve) => {
      this.#socket.write(bytes, () => resolve())
    })
    return Promise.race([flushed, this.closed])
  }

  /** Stops reading. What arrives stays in the kernel. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Sends FIN and goes on reading. */
  halfClose(): void {
    this.#socket.end()
  }

  /** Sends RST. */
  reset(): void {
    this.#outside(() => {
      this.#wire.once('close', () => this.#socket.destroy())
      reset(this.#socket, this.#wire)
    })
  }

  /** Closes the socket the way a dying process would: FIN, over TLS without a close_notify, or RST when there were unread bytes. */
  destroy(): void {
    this.#outside(() => {
      this.#wire.destroy()
      this.#socket.destroy()
    })
  }

  /**
   * Runs this at once, and over TLS when no 'data' of its socket is being handled: Node 20 would read on in memory that it has
   * freed, and end with a segmentation fault.
   */
  #outside(end: () => void): void {
    if (this.#wire === this.#socket) {
      end()
      return
    }
    this.#socket.pause()
    setImmediate(end)
  }
}
