import { type BorrowedBytes, keep, type OwnedBytes } from '../bytes.js'
import type { SlabPool } from './slab-pool.js'

/** Up to this many bytes get memory of their own size when nothing else is kept. */
const SMALL_BYTES = 4096

/**
 * For whom bytes are kept.
 *
 * `waiting`: for a stream that has not begun. Nothing more is read, and nobody knows for how long: so they get memory of their
 * own size, and none beyond half of all. Ten thousand waiting senders with a short message each must not hold ten thousand
 * slabs.
 * `promised`: the same, and the memory has been reserved.
 * `streaming`: in slabs, which are written to without being made.
 * `crowd`: the same for many receivers, of whom most read from here: in pieces as long as they were read, since each piece
 * costs each of them a system call.
 */
export type KeptFor = 'waiting' | 'promised' | 'streaming' | 'crowd'

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

  /** Offset after the last byte kept; 0 while nothing is. */
  get end(): number {
    const last = this.#segments.at(-1)
    return last === undefined ? 0 : last.from + last.used
  }

  /** Offset of the first byte kept; 0 while nothing is. */
  get from(): number {
    return this.#segments[0]?.from ?? 0
  }

  /** Bytes kept, counted from the front of the first segment. */
  get held(): number {
    const first = this.#segments[0]
    return first === undefined ? 0 : this.end - first.from
  }

  /** Everything that is kept, in order. */
  *all(): Generator<OwnedBytes> {
    for (const { memory, used } of this.#segments) yield memory.subarray(0, used) as OwnedBytes
  }

  /**
   * Copies `bytes`, which are at `offset` in the stream, behind what is kept already.
   * Returns false when the pool has no memory left. Then what comes before `end` has been kept.
   */
  append(bytes: BorrowedBytes, offset: number, keptFor: KeptFor = 'streaming'): boolean {
    // A gap would shift everything behind it.
    if (this.#segments.length > 0 && this.end !== offset) throw new RangeError(`offset ${offset} is not at ${this.end}`)
    const isSmall = this.#segments.length === 0 && bytes.byteLength <= SMALL_BYTES
    if (isSmall || keptFor === 'waiting' || keptFor === 'promised') {
      return this.#appendExactly(bytes, offset, keptFor === 'waiting')
    }
    let done = 0
    while (done < bytes.byteLength) {
      const segment = this.#withRoom(offset + done, keptFor === 'crowd' ? bytes.byteLength - done : 0)
      if (segment === undefined) return false
      const length = Math.min(bytes.byteLength - done, segment.memory.byteLength - segment.used)
      const piece = bytes.subarray(done, done + length) as BorrowedBytes
      segment.memory.set(piece, segment.used)
      const isLarge = segment.memory.byteLength > this.pool.slabBytes
      if (isLarge && segment.used === 0) this.pool.copies?.copied(piece, segment.memory)
      segment.used += length
      done += length
    }
    return true
  }

  #appendExactly(bytes: BorrowedBytes, from: number, isOptional: boolean): boolean {
    const used = bytes.byteLength
    if (used === 0) return true
    if (!this.pool.take(used, isOptional)) return false
    this.#segments.push({ memory: keep(bytes), pooled: false, from, used })
    return true
  }

  /** The last segment if it has room, or a new one: a large one if the bytes that are to come fill most of it. */
  #withRoom(offset: number, bytes: number): Segment | undefined {
    const last = this.#segments.at(-1)
    if (last !== undefined && last.used < last.memory.byteLength) return last
    const large = 2 * bytes > this.pool.largeBytes ? this.pool.acquireLarge() : undefined
    const slab = large ?? this.pool.acquire()
    if (slab === undefined) return undefined
    const segment = { memory: slab, pooled: true, from: offset, used: 0 }
    this.#segments.push(segment)
    return segment
  }

  /** The longest run of kept bytes that starts at `offset`, which must be kept. */
  at(offset: number): OwnedBytes {
    for (const segment of this.#segments) {
      if (offset >= segment.from && offset < segment.from + segment.used) {
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
      else this.pool.give(first.used)
      first = this.#segments[0]
    }
  }
}
