/** Cuts bytes into chunks of one size, and keeps the last one back, however long it is, since it may be the last of all. */
export class Chunker {
  readonly #size: number
  #rest: Buffer[] = []
  #length = 0

  constructor(size: number) {
    this.#size = size
  }

  /** The chunks that are whole and not the last. Copies only what lies across two pieces. Keeps the rest of the piece. */
  *add(piece: Buffer): Generator<Buffer, void, undefined> {
    let at = 0
    while (this.#length + piece.length - at > this.#size) {
      const wanted = this.#size - this.#length
      const next = piece.subarray(at, at + wanted)
      at += wanted
      if (this.#length === 0) yield next
      else {
        this.#rest.push(next)
        yield this.last()
      }
    }
    if (at === piece.length) return
    this.#rest.push(piece.subarray(at))
    this.#length += piece.length - at
  }

  /** What was kept back, and forgets it. */
  last(): Buffer {
    const last = Buffer.concat(this.#rest)
    this.#rest = []
    this.#length = 0
    return last
  }
}
