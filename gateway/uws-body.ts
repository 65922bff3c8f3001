import type { HttpResponse } from 'uWebSockets.js'
import type { BorrowedBytes } from '../core/index.js'

/** The two framings of a response body, with the same face. */
export interface ResponseBody {
  /** The kernel takes no more for now. */
  readonly blocked: boolean
  /** The body was complete with the last write, and uWebSockets has ended the response. */
  readonly done: boolean
  /** The head can be sent before the first byte of the body. */
  readonly headMayGoFirst: boolean
  /** A write of so many bytes costs much less inside a cork. */
  wantsCork(bytes: number): boolean
  /** Returns how many bytes were taken. Only when not blocked. */
  write(bytes: BorrowedBytes): number
  /** Completes a head that has been written. Only if it may go first. */
  sendHead(): void
  /** The kernel takes bytes again. */
  unblock(): void
  /** Ends the body. Only when not blocked, and not when done. */
  end(): void
}

/** A body of a known length. uWebSockets keeps nothing back, and says exactly how much the kernel took. */
export class LengthBody implements ResponseBody {
  blocked = false
  done = false
  readonly headMayGoFirst = true

  constructor(
    readonly res: HttpResponse,
    readonly length: number,
  ) {}

  /** One system call either way. */
  wantsCork(): boolean {
    return false
  }

  write(bytes: BorrowedBytes): number {
    const before = this.res.getWriteOffset()
    const [ok, done] = this.res.tryEnd(bytes, this.length)
    this.done = done
    // A finished response has no offset any more.
    if (ok || done) return bytes.byteLength
    this.blocked = true
    return this.res.getWriteOffset() - before
  }

  sendHead(): void {
    if (this.length > 0) this.res.tryEnd('', this.length)
  }

  unblock(): void {
    this.blocked = false
  }

  /** Reached only for an empty body: any other is done with its last byte. */
  end(): void {
    this.res.end()
  }
}

/** Below this, several writes in one cork leave as one packet. */
const SMALL = 16 * 1024
/** What is offered to uWebSockets at once. It keeps what the kernel does not take of it. */
const PIECE = 64 * 1024
/** After backpressure this much is written first, to see whether what uWebSockets kept has gone. */
const PROBE = 256

/**
 * A body of unknown length, by chunked transfer coding. uWebSockets takes everything and keeps what the kernel does not
 * take; only the return value tells. It says writable when the kernel has room, not when what it kept has gone, so
 * whoever then writes large pieces until false makes it keep more and more: hence the probe.
 */
export class ChunkedBody implements ResponseBody {
  blocked = false
  readonly done = false
  /** uWebSockets ends the head on the wire with the first chunk. */
  readonly headMayGoFirst = false
  #probe = false

  constructor(readonly res: HttpResponse) {}

  wantsCork(bytes: number): boolean {
    return bytes < SMALL
  }

  write(bytes: BorrowedBytes): number {
    let taken = 0
    while (taken < bytes.byteLength && !this.blocked) {
      const piece = bytes.subarray(taken, taken + (this.#probe ? PROBE : PIECE))
      this.blocked = !this.res.write(piece)
      this.#probe = this.blocked
      taken += piece.byteLength
    }
    return taken
  }

  sendHead(): void {}

  unblock(): void {
    this.blocked = false
  }

  end(): void {
    this.res.end()
  }
}
