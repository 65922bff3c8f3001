/** What one copy holds at most. */
const SLAB_BYTES = 64 * 1024
/** Up to this the pieces of a turn are made one. */
const SMALL = 8 * 1024
/** What each write costs in memory besides its bytes, about. */
const WRITE_BYTES = 1024
/** So many are kept for later. */
const MOST_SPARE = 64

const spare: Buffer[] = []

/** Whoever takes bytes over and says when it has no use for them any more. */
export interface Taker {
  write(bytes: Uint8Array, done: (error?: Error | null) => void): unknown
}

/**
 * Hands on bytes that were lent for a call to somebody who keeps them for a while. Memory of large ones is used again and again: a
 * fresh piece costs a page fault for every 4 KiB, which is more than all else. Small ones are gathered until the end of the turn: a
 * client can send a body as a million chunks of one byte, and each write would cost a thousand times that.
 */
export class Copies {
  /** What has been given and not taken yet, in bytes of memory. */
  pending = 0
  #gathered: Buffer | undefined
  #length = 0

  /** @param taken called when some of it has been */
  constructor(
    readonly to: Taker,
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
      const slab = spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
      const size = Math.min(SLAB_BYTES, bytes.length - at)
      slab.set(bytes.subarray(at, at + size))
      this.#write(slab.subarray(0, size), (error) => {
        // A socket that failed may not have let go of it.
        if (!error && spare.length < MOST_SPARE) spare.push(slab)
      })
    }
  }

  #write(piece: Uint8Array, done: (error?: Error | null) => void): void {
    const bytes = piece.length + WRITE_BYTES
    this.pending += bytes
    this.to.write(piece, (error) => {
      done(error)
      this.pending -= bytes
      this.taken()
    })
  }
}
