import type { HttpResponse } from 'uWebSockets.js'
import type { BorrowedBytes } from '../../core/index.js'
import type { Sockets } from '../native/sockets.js'

/**
 * From where a body is written to.
 *
 * `callback`: from a callback of uWebSockets, whether of this connection or of another one.
 * `turn`: from the end of a turn of the event loop. There uWebSockets asks on standard error for a cork around each write.
 */
export type WriteFrom = 'callback' | 'turn'

/** The response that a body is written to. */
export interface BodyTarget {
  readonly res: HttpResponse
  /** Writes status line and headers. */
  readonly head: () => void
  /** The socket below, and what can be done to it. */
  readonly socket: number
  readonly sockets: Pick<Sockets, 'joinChunks' | 'bytesDue' | 'sendDue' | 'sentAll' | 'hasRoom'>
  readonly tls: boolean
}

/** The two framings of a response body, with the same face. The head leaves in one packet with the first bytes. */
export interface ResponseBody {
  /** The kernel takes no more for now; uWebSockets will say when it does. */
  readonly blocked: boolean
  /** The body was complete with the last write, and uWebSockets has ended the response. */
  readonly done: boolean
  /** The head has been written. */
  readonly begun: boolean
  /** A write of so many bytes costs much less at the end of the turn. */
  wantsTurn(bytes: number): boolean
  /**
   * Returns how many bytes were taken. Only when not blocked. Less than all without being blocked means that the last bytes
   * wait for room, and nobody will say when there is: try again.
   */
  write(bytes: BorrowedBytes, from: WriteFrom): number
  /** Sends the head before the body has any bytes, if the framing allows that. Only from a turn. */
  begin(): void
  /** The kernel takes bytes again. */
  unblock(): void
  /** Ends the body. Only when not blocked, and not when done. False: there is no room for its last bytes, try again. */
  end(): boolean
}

const NOTHING = () => {}

/**
 * The most bytes that may not have reached the receiver's machine yet when its response ends. More than two packets of a
 * loopback interface: one alone is acknowledged only after 40 ms.
 */
const ON_THEIR_WAY = 256 * 1024

/** What is common to both: the response, and its head until it has been written. */
abstract class Body {
  blocked = false
  done = false
  begun = false
  readonly res: HttpResponse

  constructor(readonly target: BodyTarget) {
    this.res = target.res
  }

  unblock(): void {
    this.blocked = false
  }

  /**
   * What uWebSockets still has in its buffer when the response ends is given thirty seconds, and then dropped without a word.
   * A receiver may take longer than that, so its response is not ended before the kernel takes the last bytes. Nor before
   * nearly all has reached the receiver's machine: whoever is told that a transfer is complete shall not have to wonder what
   * became of the megabytes that the kernel held.
   */
  end(): boolean {
    if (!this.hasRoom) return false
    this.res.cork(() => {
      this.writeHead()
      this.res.end()
    })
    return true
  }

  /** Has uWebSockets send what it kept. Returns whether that was all, true when nobody knows. */
  protected flush(): boolean {
    this.res.cork(NOTHING)
    return this.target.sockets.sentAll(this.target.socket) !== false
  }

  protected get hasRoom(): boolean {
    return this.target.sockets.hasRoom(this.target.socket, ON_THEIR_WAY)
  }

  protected writeHead(): void {
    if (this.begun) return
    this.begun = true
    this.target.head()
  }
}

/** The last bytes of a body, of which it is certain that the kernel takes them all when it has room. */
const LAST = 256
/** A body that leaves whole, together with its head. */
const SHORT = 4096

/** A body of a known length. uWebSockets keeps nothing back, and says exactly how much the kernel took. */
export class LengthBody extends Body implements ResponseBody {
  #bytes: BorrowedBytes = new Uint8Array()
  #ok = true
  /** Bytes that were taken inside a cork are still in uWebSockets' buffer. */
  #kept = false
  readonly #tryEnd = () => {
    this.writeHead()
    const [ok, done] = this.res.tryEnd(this.#bytes, this.length)
    this.#ok = ok
    this.done = done
  }

  constructor(
    target: BodyTarget,
    readonly length: number,
  ) {
    super(target)
  }

  /** One system call either way. */
  wantsTurn(): boolean {
    return false
  }

  write(bytes: BorrowedBytes, from: WriteFrom): number {
    // It would end the response.
    if (bytes.byteLength === 0) return 0
    const before = this.res.getWriteOffset()
    const isLast = before + bytes.byteLength === this.length
    return isLast ? this.#writeLast(bytes, before, from) : this.#write(bytes, before, from)
  }

  #write(bytes: BorrowedBytes, before: number, from: WriteFrom): number {
    this.#bytes = bytes
    if (from === 'turn') this.res.cork(this.#tryEnd)
    else this.#tryEnd()
    // A finished response has no offset any more.
    if (this.done) return bytes.byteLength
    // A cork takes up to 16 KiB whatever the kernel does.
    const { sockets, socket } = this.target
    this.#kept = this.#ok && from === 'turn' && sockets.sentAll(socket) === false
    this.blocked = this.#kept || !this.#ok
    return this.#ok ? bytes.byteLength : this.res.getWriteOffset() - before
  }

  override unblock(): void {
    this.blocked = this.#kept && !this.flush()
    this.#kept = this.blocked
  }

  /** With the last byte the response has ended: see `end`. So the very last bytes wait until they may leave. */
  #writeLast(bytes: BorrowedBytes, before: number, from: WriteFrom): number {
    const isShort = bytes.byteLength <= (this.begun ? LAST : SHORT)
    if (isShort) return this.hasRoom ? this.#write(bytes, before, from) : 0
    const took = this.#write(bytes.subarray(0, -LAST), before, from)
    return this.blocked ? took : took + this.#writeLast(bytes.subarray(took), before + took, from)
  }

  /** uWebSockets takes the head without a byte of the body for the whole answer. */
  begin(): void {}
}

/** The size of uWebSockets' cork buffer, less the frame of a chunk. */
const CORK_ROOM = 16 * 1024 - 16
/** What goes into the cork that the head is in. */
const FIRST = 4 * 1024
/** What is written at once otherwise. uWebSockets keeps what the kernel does not take of it. */
const PIECE = 64 * 1024
/** After backpressure this much is written first, to see whether what uWebSockets kept has gone. */
const PROBE = 256

/**
 * A body of unknown length, by chunked transfer coding. uWebSockets takes everything and keeps what the kernel does not
 * take; only the return value tells. Two traps, both pinned by test/platform:
 *
 * It says writable when the kernel has room, not when what it kept has gone, so whoever then writes large pieces until
 * false makes it keep more and more.
 *
 * A write inside a cork that does not fit into the cork buffer flushes that buffer first, and when the kernel does not
 * take all of it, the bytes of the write are lost and the framing with them.
 *
 * The native helper ends both for a socket whose chunks are joined: a chunk of any size leaves by one call, and what the
 * kernel does not take of it is given back. Otherwise pieces are small: inside a cork no larger than its room, and one to a
 * cork; after backpressure a very small one first.
 */
export class ChunkedBody extends Body implements ResponseBody {
  #probe = false
  #joined = false
  /** Bytes at the end of the chunk written last that have to be written again. */
  #due = 0
  #piece: BorrowedBytes = new Uint8Array()
  readonly #writePiece = () => {
    this.writeHead()
    this.blocked = !this.res.write(this.#piece)
  }

  /** What stands behind a small write in the same read can then be joined to it; and what is due needs a cork. */
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

  /** Inside a cork every write is well; what the kernel took of it is known afterwards, and only to the helper. */
  #writeCorked(): void {
    this.res.cork(this.#writePiece)
    if (this.target.sockets.sentAll(this.target.socket) === false) this.blocked = true
  }

  /** Sends what is due of the last chunk; its last byte is with uWebSockets. */
  #writeDue(bytes: BorrowedBytes): number {
    const { sockets, socket } = this.target
    const most = Math.min(this.#due - 1, bytes.byteLength)
    const took = most === 0 ? 0 : sockets.sendDue(socket, bytes.subarray(0, most))
    this.#due -= took
    if (took === bytes.byteLength) return took
    // Leaves now, or fails for want of room, and then uWebSockets asks to be told when there is.
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
    if (!this.#joined) this.#joined = !this.target.tls && this.target.sockets.joinChunks(this.target.socket)
    if (this.#joined) return Number.POSITIVE_INFINITY
    return from === 'turn' ? CORK_ROOM : PIECE
  }

  /** uWebSockets ends the head on the wire with the first chunk, so it waits for that. */
  begin(): void {}
}
