import { type BorrowedBytes, keep, type OwnedBytes } from '../bytes.js'

/** What most headers need. */
const FIRST_BYTES = 1024

/** Bytes that are collected piece by piece, up to a bound. It allocates as they come, whatever was announced. */
export class HeaderCopy {
  #bytes = new Uint8Array(FIRST_BYTES)
  #length = 0

  constructor(readonly mostBytes: number) {}

  /** Appends the bytes from `from` to before `to`. Returns whether there was room. */
  add(bytes: BorrowedBytes, from: number, to: number): boolean {
    const length = this.#length + to - from
    if (length > this.mostBytes) return false
    if (length > this.#bytes.byteLength) this.#grow(length)
    // Byte by byte: most pieces are heads, and a view of each would be an object for each.
    for (let i = from; i < to; i++) this.#bytes[this.#length++] = bytes[i]!
    return true
  }

  /** All of it, in memory of its size. */
  finish(): OwnedBytes {
    return keep(this.#bytes.subarray(0, this.#length))
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.byteLength))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
