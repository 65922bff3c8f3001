/** The size of a pooled buffer. */
const SLAB_BYTES = 64 * 1024
/** Pieces up to this size are gathered until the end of the turn. */
const SMALL = 8 * 1024
/** What each write costs in memory besides its bytes, about. */
const WRITE_OVERHEAD = 1024
/** How many buffers are kept for later. */
const MAX_POOLED = 64

const pool: Buffer[] = []

/** Takes bytes over, and says when it does not need them any more. */
export interface ByteWriter {
  write(bytes: Uint8Array, done: (error?: Error | null) => void): unknown
}

/**
 * Copies bytes that were lent for one call, and writes the copies to a stream that keeps them for a while. Copies of large pieces
 * use pooled buffers: fresh memory costs a page fault for every 4 KiB, which is more than all else. Small pieces are gathered until
 * the end of the turn: a client can send a body as a million chunks of one byte, and each write would cost a thousand times that.
 */
export class CopyingWriter {
  /** What has been written and not taken yet, in bytes of memory. */
  pending = 0
  #gathered: Buffer | undefined
  #length = 0

  /** @param taken called when some of it has been taken */
  constructor(
    readonly to: ByteWriter,
    readonly taken: () => void,
  ) {}

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > SMALL) this.flush()
    if (bytes.length > SMALL) this.#writeLarge(bytes)
    else this.#gather(bytes)
  }

  /** Writes what has been gathered. */
  flush(): void {
    if (this.#length === 0) return
    const piece = Buffer.from(this.#gathered!.subarray(0, this.#length))
    this.#length = 0
    this.#write(piece, () => {})
  }

  #gather(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#length === 0) setImmediate(() => this.flush())
    this.#gathered ??= Buffer.allocUnsafeSlow(SMALL)
    this.#gathered.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #writeLarge(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SLAB_BYTES) {
      const slab = pool.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
      const size = Math.min(SLAB_BYTES, bytes.length - at)
      slab.set(bytes.subarray(at, at + size))
      this.#write(slab.subarray(0, size), (error) => {
        // A socket that failed may still use it.
        if (!error && pool.length < MAX_POOLED) pool.push(slab)
      })
    }
  }

  #write(piece: Uint8Array, done: (error?: Error | null) => void): void {
    const bytes = piece.length + WRITE_OVERHEAD
    this.pending += bytes
    this.to.write(piece, (error) => {
      done(error)
      this.pending -= bytes
      this.taken()
    })
  }
}
