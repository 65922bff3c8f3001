import type { HttpResponse } from 'uWebSockets.js'
import type { BorrowedBytes } from '../core/index.js'

/**
 * From where a body is written to.
 *
 * `callback`: from a callback of uWebSockets, whether of this connection or of another one.
 * `turn`: from the end of a turn of the event loop. There uWebSockets asks on standard error for a cork around each write.
 */
export type WriteFrom = 'callback' | 'turn'

/** The two framings of a response body, with the same face. The head leaves in one packet with the first bytes. */
export interface ResponseBody {
  /** The kernel takes no more for now. */
  readonly blocked: boolean
  /** The body was complete with the last write, and uWebSockets has ended the response. */
  readonly done: boolean
  /** The head has been written. */
  readonly begun: boolean
  /** A write of so many bytes costs much less at the end of the turn. */
  wantsTurn(bytes: number): boolean
  /** Returns how many bytes were taken. Only when not blocked. */
  write(bytes: BorrowedBytes, from: WriteFrom): number
  /** Sends the head before the body has any bytes, if the framing allows that. Only from a turn. */
  begin(): void
  /** The kernel takes bytes again. */
  unblock(): void
  /** Ends the body. Only when not blocked, and not when done. */
  end(): void
}

/** What is common to both: the response, and its head until it has been written. */
abstract class Body {
  blocked = false
  done = false
  begun = false

  constructor(
    readonly res: HttpResponse,
    readonly head: () => void,
  ) {}

  unblock(): void {
    this.blocked = false
  }

  end(): void {
    this.res.cork(() => {
      this.writeHead()
      this.res.end()
    })
  }

  protected writeHead(): void {
    if (this.begun) return
    this.begun = true
    this.head()
  }
}

/** A body of a known length. uWebSockets keeps nothing back, and says exactly how much the kernel took. */
export class LengthBody extends Body implements ResponseBody {
  #bytes: BorrowedBytes = new Uint8Array()
  #ok = true
  readonly #tryEnd = () => {
    this.writeHead()
    const [ok, done] = this.res.tryEnd(this.#bytes, this.length)
    this.#ok = ok
    this.done = done
  }

  constructor(
    res: HttpResponse,
    head: () => void,
    readonly length: number,
  ) {
    super(res, head)
  }

  /** One system call either way. */
  wantsTurn(): boolean {
    return false
  }

  write(bytes: BorrowedBytes, from: WriteFrom): number {
    const before = this.res.getWriteOffset()
    this.#bytes = bytes
    if (from === 'turn') this.res.cork(this.#tryEnd)
    else this.#tryEnd()
    // A finished response has no offset any more.
    if (this.#ok || this.done) return bytes.byteLength
    this.blocked = true
    return this.res.getWriteOffset() - before
  }

  begin(): void {
    // An empty body has nothing to wait for: its head leaves with its end.
    if (this.length > 0) this.write(new Uint8Array(), 'turn')
  }
}

/** The size of uWebSockets' cork buffer, less the frame of a chunk. */
const CORK_ROOM = 16 * 1024 - 16
/** What goes into the cork that the head is in. */
const FIRST = 4 * 1024
/** What is written at once without a cork. uWebSockets keeps what the kernel does not take of it. */
const PIECE = 64 * 1024
/** After backpressure this much is written first, to see whether what uWebSockets kept has gone. */
const PROBE = 256

/**
 * A body of unknown length, by chunked transfer coding. uWebSockets takes everything and keeps what the kernel does not
 * take; only the return value tells. Two traps, both pinned by test/platform:
 *
 * It says writable when the kernel has room, not when what it kept has gone, so whoever then writes large pieces until
 * false makes it keep more and more: hence the probe.
 *
 * A write inside a cork that does not fit into the cork buffer flushes that buffer first, and when the kernel does not
 * take all of it, the bytes of the write are lost and the framing with them: hence no piece larger than the cork's room
 * inside a cork, and one piece to a cork.
 */
export class ChunkedBody extends Body implements ResponseBody {
  #probe = false
  #piece: BorrowedBytes = new Uint8Array()
  readonly #writePiece = () => {
    this.writeHead()
    this.blocked = !this.res.write(this.#piece)
  }

  wantsTurn(bytes: number): boolean {
    return bytes <= CORK_ROOM
  }

  write(bytes: BorrowedBytes, from: WriteFrom): number {
    let taken = 0
    while (taken < bytes.byteLength && !this.blocked) {
      const most = this.#most(from)
      this.#piece = bytes.subarray(taken, taken + most)
      if (this.#piece.byteLength <= CORK_ROOM) this.res.cork(this.#writePiece)
      else this.#writePiece()
      this.#probe = this.blocked
      taken += this.#piece.byteLength
    }
    return taken
  }

  #most(from: WriteFrom): number {
    if (!this.begun) return FIRST
    if (this.#probe) return PROBE
    return from === 'turn' ? CORK_ROOM : PIECE
  }

  /** uWebSockets ends the head on the wire with the first chunk, so it waits for that. */
  begin(): void {}
}
