/**
 * A stream that is read by counts. What is here already is taken without waiting, because a promise for every small file would
 * cost more than the file. Never holds more than one chunk besides what `fill` was asked for.
 */
export class ByteSource {
  readonly #iterator: AsyncIterator<Buffer>
  readonly #chunks: Buffer[] = []
  /** Bytes of the first chunk that have been taken. */
  #offset = 0
  #buffered = 0
  #ended = false

  /**
   * @param stream its error is thrown by `fill` as it is. It may use the memory of a piece again once the second one after it is
   * asked for.
   */
  constructor(stream: AsyncIterable<Buffer>) {
    this.#iterator = stream[Symbol.asyncIterator]()
  }

  /** Waits until `count` bytes are here. False when the stream ended before. */
  async fill(count: number): Promise<boolean> {
    while (this.#buffered < count && !this.#ended) {
      this.#keep()
      const { value, done } = await this.#iterator.next()
      if (done) this.#ended = true
      else if (value.length > 0) {
        this.#chunks.push(value)
        this.#buffered += value.length
      }
    }
    return this.#buffered >= count
  }

  /** What is left of the last chunk is needed for longer than its memory is ours. */
  #keep(): void {
    const last = this.#chunks.pop()
    if (last === undefined) return
    const left = this.#chunks.length === 0 ? last.subarray(this.#offset) : last
    if (this.#chunks.length === 0) this.#offset = 0
    this.#chunks.push(Buffer.from(left))
  }

  has(count: number): boolean {
    return this.#buffered >= count
  }

  /** Exactly `count` bytes, which must be here; copied only when they came in several chunks. */
  take(count: number): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && first.length - this.#offset >= count) return this.#cut(first, count)
    const pieces: Buffer[] = []
    for (let left = count; left > 0; ) {
      const piece = this.takeSome(left)
      pieces.push(piece)
      left -= piece.length
    }
    return Buffer.concat(pieces, count)
  }

  /** Up to `count` bytes, as many as came in one chunk; at least one must be here. They are valid as long as that chunk is. */
  takeSome(count: number): Buffer {
    const first = this.#chunks[0]
    if (first === undefined) throw new RangeError('nothing has been read')
    return this.#cut(first, Math.min(count, first.length - this.#offset))
  }

  #cut(first: Buffer, count: number): Buffer {
    const cut = first.subarray(this.#offset, this.#offset + count)
    this.#offset += count
    this.#buffered -= count
    if (this.#offset === first.length) {
      this.#chunks.shift()
      this.#offset = 0
    }
    return cut
  }

  /** Ends the stream, whether or not it was read to its end. */
  async close(): Promise<void> {
    await this.#iterator.return?.()
  }
}
