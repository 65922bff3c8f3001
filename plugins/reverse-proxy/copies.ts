/** What one copy holds at most. */
const SLAB_BYTES = 64 * 1024
/** Smaller ones come from Node's own pool. */
const SMALL = 8 * 1024
/** So many are kept for later. */
const MOST_SPARE = 64

const spare: Buffer[] = []

/** Whoever takes bytes over and says when it has no use for them any more. */
export interface Taker {
  write(bytes: Uint8Array, done: (error?: Error | null) => void): unknown
}

/**
 * Hands on bytes that were lent for a call to somebody who keeps them for a while. Their memory is used again and again: a fresh
 * one costs a page fault for every 4 KiB, which is more than all else.
 * @param done called for each piece, with its size
 */
export function writeCopy(to: Taker, bytes: Uint8Array, done: (size: number) => void): void {
  if (bytes.length <= SMALL) {
    to.write(Buffer.from(bytes), () => done(bytes.length))
    return
  }
  for (let at = 0; at < bytes.length; at += SLAB_BYTES) {
    const slab = spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
    const size = Math.min(SLAB_BYTES, bytes.length - at)
    slab.set(bytes.subarray(at, at + size))
    to.write(slab.subarray(0, size), (error) => {
      // A socket that failed may not have let go of it.
      if (!error && spare.length < MOST_SPARE) spare.push(slab)
      done(size)
    })
  }
}
