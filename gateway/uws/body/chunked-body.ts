import type { BorrowedBytes } from '../../../core/index.js'
import { BaseBody } from './base-body.js'
import type { ResponseBody, WriteFrom } from './response-body.js'

/** The size of uWebSockets' cork buffer, less the frame of a chunk. */
const CORK_ROOM = 16 * 1024 - 16
/** The most that goes into the cork that the head is in. */
const FIRST = 4 * 1024
/** The most that is written at once otherwise. uWebSockets keeps what the kernel does not take of it. */
const PIECE = 64 * 1024
/** After backpressure this much is written first, to see whether what uWebSockets kept has gone. */
const PROBE = 16

/**
 * A body of unknown length, by chunked transfer coding. uWebSockets takes everything and keeps what the kernel does not
 * take; only the return value tells. Two traps, both pinned by test/platform:
 *
 * - It reports writable when the kernel has room, not when what it kept has gone. Writing large pieces until `false` makes it
 *   keep more and more.
 * - A write inside a cork that does not fit into the cork buffer flushes that buffer first. When the kernel does not take all
 *   of it, the bytes of the write are lost, and the framing is broken.
 *
 * The native helper avoids both for a socket whose chunks are joined: a chunk of any size leaves by one call, and what the
 * kernel does not take of it is given back. Without it pieces are small: one to a cork, no larger than the cork's room, and a
 * very small one first after backpressure.
 */
export class ChunkedBody extends BaseBody implements ResponseBody {
  #probe = false
  #joined = false
  /** Bytes at the end of the chunk written last that have to be written again. */
  #due = 0
  #piece: BorrowedBytes = new Uint8Array()
  readonly #writePiece = () => {
    this.writeHead()
    this.blocked = !this.res.write(this.#piece)
  }

  /** What follows a small write in the same read can then be joined to it; and what is due needs a cork. */
  wantsTurn(bytes: number): boolean {
    return bytes <= CORK_ROOM || this.#due > 0
  }

  write(bytes: BorrowedBytes, from: WriteFrom): number {
    let taken = this.#due > 0 ? this.#writeDue(bytes) : 0
    while (taken < bytes.byteLength && !this.blocked) {
      const most = this.#most(from)
      this.#piece = bytes.subarray(taken, taken + most)
      if (from === 'turn' || this.#piece.byteLength <= CORK_ROOM) this.#writeCorked()
      else this.#writePiece()
      if (this.blocked && this.#joined) this.#due = this.target.sockets.bytesDue(this.target.socket)
      taken += this.#piece.byteLength - this.#due
    }
    return taken
  }

  /** Inside a cork every write succeeds. What the kernel took of it is known afterwards, and only to the helper. */
  #writeCorked(): void {
    this.res.cork(this.#writePiece)
    if (this.target.sockets.sentAll(this.target.socket) === false) this.blocked = true
  }

  /** Sends what is due of the last chunk. uWebSockets has its last byte. */
  #writeDue(bytes: BorrowedBytes): number {
    const { sockets, socket } = this.target
    const most = Math.min(this.#due - 1, bytes.byteLength)
    const took = most === 0 ? 0 : sockets.sendDue(socket, bytes.subarray(0, most))
    this.#due -= took
    if (took === bytes.byteLength) return took
    // That byte leaves now. If there is no room for it, uWebSockets reports when there is.
    this.blocked = !this.flush()
    if (this.blocked) return took
    this.#due = 0
    return took + 1
  }

  override unblock(): void {
    this.blocked = this.#due === 0 && !this.flush()
    this.#probe = !this.#joined
  }

  #most(from: WriteFrom): number {
    if (!this.begun) return FIRST
    if (this.#probe) {
      this.#probe = false
      return PROBE
    }
    if (this.#join()) return Number.POSITIVE_INFINITY
    return from === 'turn' ? CORK_ROOM : PIECE
  }

  #join(): boolean {
    const { tls, sockets, socket } = this.target
    if (!this.#joined) this.#joined = !tls && sockets.joinChunks(socket)
    return this.#joined
  }

  override probe(): boolean {
    return this.begun && (this.blocked || (this.#join() && this.target.sockets.askInBody(this.target.socket)))
  }

  /** uWebSockets ends the head on the wire with the first chunk. Where the helper cannot end it before, it waits for that. */
  begin(): void {
    const { endHead } = this.target
    if (endHead === undefined || this.begun) return
    this.res.cork(() => {
      this.writeHead()
      // uWebSockets would write it with the first chunk.
      this.res.writeHeader('Date', new Date().toUTCString())
    })
    this.#joined = endHead()
  }

  endAlone(): boolean {
    const { sockets, socket } = this.target
    return this.hasRoom && this.flush() && this.#join() && sockets.endBody(socket)
  }
}
