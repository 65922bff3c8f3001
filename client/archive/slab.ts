/** Joins what is small to pieces that are worth a system call. */
export class Slab {
  /** Bytes of a piece, unless it is the last one or the next part would not fit. */
  static readonly SIZE = 1 << 18

  // Never used again once it was given away: who reads the stream may keep it.
  #buffer = Buffer.allocUnsafeSlow(Slab.SIZE)
  #used = 0

  /** The next bytes, to be filled at once; there is room for them. */
  claim(count: number): Buffer {
    const bytes = this.#buffer.subarray(this.#used, this.#used + count)
    this.#used += count
    return bytes
  }

  /** Copies the bytes. @returns a piece that is full, if there is one */
  *append(bytes: Buffer): Generator<Buffer, void, undefined> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === Slab.SIZE) yield* this.flush()
      const count = bytes.copy(this.#buffer, this.#used, at)
      this.#used += count
      at += count
    }
  }

  /** Makes room for this many bytes, at most SIZE. */
  *reserve(count: number): Generator<Buffer, void, undefined> {
    if (Slab.SIZE - this.#used < count) yield* this.flush()
  }

  /** What has been collected. */
  *flush(): Generator<Buffer, void, undefined> {
    if (this.#used === 0) return
    const piece = this.#buffer.subarray(0, this.#used)
    this.#buffer = Buffer.allocUnsafeSlow(Slab.SIZE)
    this.#used = 0
    yield piece
  }
}
