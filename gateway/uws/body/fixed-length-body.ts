import type { BorrowedBytes } from '../../../core/index.js'
import { BaseBody } from './base-body.js'
import type { BodyTarget, ResponseBody, WriteFrom } from './response-body.js'

/** So many last bytes of a body the kernel takes for certain when it has room at all. */
const LAST = 256
/** A body up to this size leaves whole, together with its head. */
const SHORT = 4096

/** A body of a known length. uWebSockets keeps nothing back, and says exactly how much the kernel took. */
export class FixedLengthBody extends BaseBody implements ResponseBody {
  #bytes: BorrowedBytes = new Uint8Array()
  #ok = true
  /** uWebSockets' buffer still has bytes that were taken inside a cork. */
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
    // Nothing would end the response.
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

  /** The last byte ends the response, so the last few bytes wait until it may end: see `end`. */
  #writeLast(bytes: BorrowedBytes, before: number, from: WriteFrom): number {
    const isShort = bytes.byteLength <= (this.begun ? LAST : SHORT)
    if (isShort) return this.hasRoom ? this.#write(bytes, before, from) : 0
    const took = this.#write(bytes.subarray(0, -LAST), before, from)
    return this.blocked ? took : took + this.#writeLast(bytes.subarray(took), before + took, from)
  }

  /** uWebSockets takes the head without a byte of the body for the whole answer. */
  begin(): void {}
}
