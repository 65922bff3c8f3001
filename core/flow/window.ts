import { type BorrowedBytes, keep, type OwnedBytes } from '../bytes.js'
import type { SlabPool } from './slab-pool.js'

/**
 * Up to this many bytes get memory of their own size when nothing else is kept: ten thousand waiting senders with a short
 * message each must not hold ten thousand slabs.
 */
const SMALL_BYTES = 4096

interface Segment {
  readonly memory: OwnedBytes
  readonly pooled: boolean
  /** Offset in the stream of the first byte. */
  readonly from: number
  /** Bytes used from the front of the memory. */
  used: number
}

/**
 * The part of a stream that some receiver has not taken yet: kept once, read by all receivers by offset, freed from the
 * front. Offsets count bytes from the start of the stream.
 */
export class Window {
  readonly #segments: Segment[] = []

  constructor(readonly pool: SlabPool) {}

  /** Offset after the last byte kept; meaningless while nothing is. */
  get #end(): number {
    const last = this.#segments.at(-1)
    return last === undefined ? 0 : last.from + last.used
  }

  /** Bytes kept, counted from the front of the first segment. */
  get held(): number {
    const first = this.#segments[0]
    return first === undefined ? 0 : this.#end - first.from
  }

  /** Everything that is kept, in order. */
  *all(): Generator<OwnedBytes> {
    for (const { memory, used } of this.#segments) yield memory.subarray(0, used) as OwnedBytes
  }

  /**
   * Copies `bytes`, which are at `offset` in the stream, behind what is kept already. `isOptional` as in `SlabPool.acquire`.
   * Returns false when the pool has no slab left. Then an unknown part has been kept, and the stream is lost.
   */
  append(bytes: BorrowedBytes, offset: number, isOptional = false): boolean {
    if (this.#segments.length === 0 && bytes.byteLength <= SMALL_BYTES) {
      this.#segments.push({ memory: keep(bytes), pooled: false, from: offset, used: bytes.byteLength })
      this.pool.unpooledBytes += bytes.byteLength
      return true
    }
    let done = 0
    while (done < bytes.byteLength) {
      const segment = this.#withRoom(offset + done, isOptional)
      if (segment === undefined) return false
      const length = Math.min(bytes.byteLength - done, segment.memory.byteLength - segment.used)
      segment.memory.set(bytes.subarray(done, done + length), segment.used)
      segment.used += length
      done += length
    }
    return true
  }

  /** The last segment if it has room, or a new one. */
  #withRoom(offset: number, isOptional: boolean): Segment | undefined {
    const last = this.#segments.at(-1)
    if (last !== undefined && last.used < last.memory.byteLength) return last
    const slab = this.pool.acquire(isOptional)
    if (slab === undefined) return undefined
    const segment = { memory: slab, pooled: true, from: offset, used: 0 }
    this.#segments.push(segment)
    return segment
  }

  /** The longest run of kept bytes that starts at `offset`, which must be kept. */
  at(offset: number): OwnedBytes {
    for (const segment of this.#segments) {
      if (offset < segment.from + segment.used) {
        return segment.memory.subarray(offset - segment.from, segment.used) as OwnedBytes
      }
    }
    throw new RangeError(`offset ${offset} is not in the window`)
  }

  /** Frees every segment that ends at or before `offset`. */
  release(offset: number): void {
    let first = this.#segments[0]
    while (first !== undefined && first.from + first.used <= offset) {
      this.#segments.shift()
      if (first.pooled) this.pool.release(first.memory)
      else this.pool.unpooledBytes -= first.used
      first = this.#segments[0]
    }
  }
}
