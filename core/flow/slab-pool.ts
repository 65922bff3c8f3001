import { type OwnedBytes, own } from '../bytes.js'

/** How many slabs one small read takes: it is as long as a slab, and begins in the middle of one. */
const SLABS_PER_READ = 2

/**
 * Fixed-size pieces of memory for bytes that some receiver has not taken yet, shared by all transfers and bounded.
 *
 * Slabs are written to once when they are made: the first touch of fresh memory costs a page fault per 4 KiB, which
 * makes a reader slower than the sender that it is trying to keep up with.
 */
export class SlabPool {
  readonly #free: OwnedBytes[] = []
  #made = 0
  /** Bytes kept in memory of their own size instead of a slab. */
  unpooledBytes = 0
  /**
   * Sources that flow. Each brings one more read before it can be paused, and all of that may have to be kept. Slabs for it
   * are set aside, but a quarter of all at most: otherwise many slow transfers that begin one after the other would leave none
   * for the last.
   */
  flowingSources = 0

  /**
   * @param slabBytes size of each slab
   * @param maxSlabs how many may exist at once
   * @param allocate makes the memory; a custom one can place it in shared memory
   */
  constructor(
    readonly slabBytes: number,
    readonly maxSlabs: number,
    readonly allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
  ) {}

  /**
   * A slab for the caller alone, or undefined when all are in use.
   * @param isOptional take it only from the first half: for callers that can fail, so that others never have to
   */
  acquire(isOptional = false): OwnedBytes | undefined {
    if (isOptional && this.isScarce) return undefined
    const slab = this.#free.pop()
    if (slab !== undefined) return slab
    if (this.#made >= this.maxSlabs) return undefined
    this.#made++
    return own(this.allocate(this.slabBytes).fill(0))
  }

  /** Gives a slab back. The caller must not use it again. */
  release(slab: OwnedBytes): void {
    this.#free.push(slab)
  }

  /**
   * How many of `bytes` one transfer may hold now: all of them while less than half of the slabs that are not set aside are in
   * use, then less and less. When memory becomes scarce every window narrows, and no transfer has to fail.
   */
  share(bytes: number): number {
    const usable = this.maxSlabs - Math.min(SLABS_PER_READ * this.flowingSources, this.maxSlabs / 4)
    return usable <= this.inUse ? 0 : Math.floor(bytes * Math.min(1, 2 - (2 * this.inUse) / usable))
  }

  /** Half of the slabs are in use: every transfer gets less. */
  get isScarce(): boolean {
    return this.share(1) < 1
  }

  /** All memory that is in use, in bytes. */
  get heldBytes(): number {
    return this.inUse * this.slabBytes + this.unpooledBytes
  }

  /** Slabs that are in use. */
  get inUse(): number {
    return this.#made - this.#free.length
  }
}
