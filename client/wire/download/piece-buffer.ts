/** Bytes of a slab. Three of them stay in a processor's cache, and one is worth a call to a disk. */
const SLAB_BYTES = 1 << 19
const SLABS = 4
/** With less room left the next slab is begun: a read should bring much. */
const LEAST_ROOM = 1 << 16
/** So many pieces are in use: what somebody looks at, and what is on its way to a disk meanwhile. */
const IN_USE = 2

class Slab {
  readonly bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  /** The number of its last piece that was handed out. */
  last = -IN_USE
}

interface Piece {
  readonly slab: Slab
  readonly from: number
  to: number
}

/**
 * Memory for a stream that is read and handed on: a few slabs that are used again and again, where a new buffer for each read
 * would cost more than the read. What is read goes to `room`, and comes out by `next`, as much at once as is here.
 */
export class PieceBuffer {
  readonly #slabs = Array.from({ length: SLABS }, () => new Slab())
  readonly #pieces: Piece[] = []
  /** The slab that is filled, and how far. */
  #current = 0
  #end = 0
  #handedOut = 0

  /** Where the next bytes go. Only to be written to while `hasRoom`. */
  get room(): Buffer {
    return this.#slabs[this.#current]!.bytes.subarray(this.#end)
  }

  /** False while all slabs hold bytes that are not handed out, or may be in use. */
  get hasRoom(): boolean {
    // Of a slab that has been begun the rest is free.
    return this.#end > 0 || this.#isFree(this.#slabs[this.#current]!)
  }

  /** So many bytes have been written to the beginning of `room`, which is another one now. */
  add(count: number): void {
    if (count === 0) return
    const slab = this.#slabs[this.#current]!
    const last = this.#pieces.at(-1)
    if (last?.slab === slab && last.to === this.#end) last.to += count
    else this.#pieces.push({ slab, from: this.#end, to: this.#end + count })
    this.#end += count
    if (SLAB_BYTES - this.#end >= LEAST_ROOM) return
    this.#current = (this.#current + 1) % SLABS
    this.#end = 0
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0
  }

  /** What has come, in order. It may be used until the second piece after it is here. */
  next(): Buffer | undefined {
    const piece = this.#pieces.shift()
    if (piece === undefined) return undefined
    piece.slab.last = ++this.#handedOut
    return piece.slab.bytes.subarray(piece.from, piece.to)
  }

  #isFree(slab: Slab): boolean {
    return this.#handedOut - slab.last >= IN_USE && !this.#pieces.some((piece) => piece.slab === slab)
  }
}
