/** Memory is taken in pieces of this size, and given back when they have been written. */
const CHUNK_BYTES = 64 * 1024
/** The most bytes that one UTF-16 unit takes in UTF-8. */
const BYTES_PER_UNIT = 3
const LINE_BREAK = 10

interface Chunk {
  readonly bytes: Buffer
  /** What has been written ends here, and what has not begins here. */
  start: number
  end: number
}

/** Lines that are to be written, in their order and encoded, of a bounded number of bytes. */
export class LineQueue {
  /** Bytes that wait. */
  bytes = 0
  /** Part of the line at the head has been taken. */
  isTorn = false
  readonly #maxBytes: number
  readonly #chunks: Chunk[] = []
  /** One that is empty, for the next lines: a log that keeps up needs no other. */
  #spare: Chunk | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @param line with its line break. Returns whether there was room for it; a part of a line is never kept. */
  push(line: string): boolean {
    const most = line.length * BYTES_PER_UNIT
    if (this.bytes + most > this.#maxBytes && this.bytes + Buffer.byteLength(line) > this.#maxBytes) return false
    const chunk = this.#chunkFor(most)
    const written = chunk.bytes.write(line, chunk.end)
    chunk.end += written
    this.bytes += written
    return true
  }

  /** Where the next bytes are. The queue must not be empty. */
  get head(): Buffer {
    return this.#chunks[0]!.bytes
  }

  get start(): number {
    return this.#chunks[0]!.start
  }

  /** How many bytes come next: whole lines of at most `most` bytes together, or the part of a longer one that fits. */
  next(most: number): number {
    const { bytes, start, end } = this.#chunks[0]!
    if (end - start <= most) return end - start
    const lastBreak = bytes.lastIndexOf(LINE_BREAK, start + most - 1)
    return lastBreak < start ? most : lastBreak + 1 - start
  }

  /** The next `count` bytes have been written. They were all in the head. */
  take(count: number): void {
    if (count === 0) return
    const chunk = this.#chunks[0]!
    chunk.start += count
    this.bytes -= count
    this.isTorn = chunk.bytes[chunk.start - 1] !== LINE_BREAK
    if (chunk.start < chunk.end) return
    this.#chunks.shift()
    if (chunk.bytes.length === CHUNK_BYTES) {
      chunk.start = 0
      chunk.end = 0
      this.#spare = chunk
    }
  }

  /** Takes what is left of a line that is torn, if it is. Returns whether it was. */
  skipTornLine(): boolean {
    if (!this.isTorn) return false
    const { bytes, start, end } = this.#chunks[0]!
    // A line is never in two chunks.
    const lineEnd = bytes.indexOf(LINE_BREAK, start)
    this.take((lineEnd < 0 ? end : lineEnd + 1) - start)
    return true
  }

  #chunkFor(most: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.bytes.length - last.end >= most) return last
    const chunk = most <= CHUNK_BYTES && this.#spare !== undefined ? this.#spare : newChunk(most)
    if (chunk === this.#spare) this.#spare = undefined
    this.#chunks.push(chunk)
    return chunk
  }
}

function newChunk(most: number): Chunk {
  return { bytes: Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most)), start: 0, end: 0 }
}
