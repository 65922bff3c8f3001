/** Sockets that read into one buffer, because a client should cost as little as it can. */

import type { Socket } from 'node:net'
import { connect as tcpConnect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'

/** Where a relay takes and gives. */
export interface Target {
  /** `raw` has no protocol at all: what goes in at `port` comes out at `outPort`. */
  readonly scheme: 'http' | 'https' | 'raw' | 'redis' | 'nats'
  readonly port: number
  /** Where receivers connect. That is `port` for HTTP. */
  readonly outPort: number
}

export interface Ears {
  /** `buffer[0, length)` was read; the memory is used again afterwards. `false` pauses until `socket.resume()`. */
  bytes(length: number, buffer: Buffer): boolean
  /** The connection is gone. `error` is undefined when the other side closed it in order. */
  closed(error: Error | undefined): void
}

// One for all sockets of the process: it is read from in the same turn in which it is filled.
const SHARED = Buffer.allocUnsafeSlow(1024 * 1024)

export interface DialOptions {
  readonly target: Target
  readonly side: 'sender' | 'receiver'
  readonly ears: Ears
  /** Bytes of a buffer of its own, for a reader that must not take a megabyte at once. */
  readonly ownBuffer?: number
}

/** Opens a connection. What is written to it before it stands is kept. */
export function dial({ target, side, ears, ownBuffer }: DialOptions): Socket {
  const onread = {
    buffer: ownBuffer === undefined ? SHARED : Buffer.allocUnsafeSlow(ownBuffer),
    callback: (length: number, buffer: Uint8Array) => ears.bytes(length, buffer as Buffer),
  }
  const port = side === 'sender' ? target.port : target.outPort
  const where = { host: '127.0.0.1', port, noDelay: true, onread }
  const socket = target.scheme === 'https' ? tlsConnect({ ...where, rejectUnauthorized: false }) : tcpConnect(where)
  let error: Error | undefined
  socket.on('error', (cause) => {
    error = cause
  })
  socket.once('close', () => ears.closed(error))
  return socket
}
