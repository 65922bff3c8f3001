import { type BorrowedBytes, type OwnedBytes, own } from '../bytes.js'

/** How many slabs one small read takes: it is as long as a slab, and begins in the middle of one. */
const SLABS_PER_READ = 2
/** How many slabs a large one is as long as. With slabs of 64 KiB it holds the largest read, of 448 KiB, in one piece. */
const SLABS_PER_LARGE = 7

/** What is held outside of the slabs and counts all the same, so that one bound holds for everything. */
export interface MemoryBudget {
  /**
   * Counts so many bytes as held, or returns false: they must not be.
   * @param isOptional only from the first half: for whoever can be refused, so that others never have to fail
   */
  take(bytes: number, isOptional?: boolean): boolean
  /** The same, for what may grow at any time: the last quarter is left to transfers that stream. */
  hold(bytes: number): boolean
  /** So many bytes of what was taken are held no more. */
  give(bytes: number): void
}

/** Knows a way to send a copy of what was read that does not copy it again. */
export interface CopyWatcher {
  /** `copy` says the same as `original`, and goes on doing so until it is given up. */
  copied(original: BorrowedBytes, copy: OwnedBytes): void
  /** What begins here is about to be written over. */
  givenUp(copy: OwnedBytes): void
}

/** Other pools within the same bound, in other threads. */
export interface OtherPools {
  /** What they hold together, in bytes. */
  readonly heldBytes: number
  /** What they have set aside together for those that wait. */
  readonly reservedBytes: number
  /** What this one holds and has set aside. The others know it before anything of theirs is looked at here again. */
  tell(heldBytes: number, reservedBytes: number): void
}

/**
 * All memory for bytes that somebody has not taken yet, shared and bounded: slabs of one size for transfers that stream, a few
 * large ones for those with many receivers, and bytes that are kept elsewhere, in memory of their own size.
 *
 * Slabs are written to once when they are made: the first touch of fresh memory costs a page fault per 4 KiB, which
 * makes a reader slower than the sender that it is trying to keep up with.
 */
export class SlabPool implements MemoryBudget {
  readonly #free: OwnedBytes[] = []
  readonly #freeLarge: OwnedBytes[] = []
  /** Bytes in all slabs that exist, and in those of them that are free. */
  #made = 0
  #unused = 0
  /** Bytes that are kept elsewhere. */
  #elsewhere = 0
  /** Bytes that waiting senders may still bring. */
  #reserved = 0
  /**
   * Sources that flow. Each brings one more read before it can be paused, and all of that may have to be kept. Slabs for it
   * are set aside, but a quarter of all at most: otherwise many slow transfers that begin one after the other would leave none
   * for the last.
   */
  flowingSources = 0

  /**
   * @param slabBytes size of each slab
   * @param maxSlabs how many may exist at once: the bound on all memory is as much
   * @param allocate makes the memory; a custom one can place it in shared memory
   * @param copies is told of what is kept in large slabs
   * @param others for which the bound holds as well, all together
   */
  constructor(
    readonly slabBytes: number,
    readonly maxSlabs: number,
    readonly allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
    readonly copies?: CopyWatcher,
    readonly others?: OtherPools,
  ) {}

  /** A slab for the caller alone, or undefined when the memory is used up. */
  acquire(): OwnedBytes | undefined {
    return this.#acquire(this.slabBytes, this.#free)
  }

  /** The same, seven times as long: undefined also while memory is scarce. */
  acquireLarge(): OwnedBytes | undefined {
    return this.isScarce ? undefined : this.#acquire(this.largeBytes, this.#freeLarge)
  }

  get largeBytes(): number {
    return SLABS_PER_LARGE * this.slabBytes
  }

  #acquire(bytes: number, free: OwnedBytes[]): OwnedBytes | undefined {
    if (!this.#mayHold(bytes)) return undefined
    const slab = free.pop()
    if (slab !== undefined) {
      this.#unused -= bytes
      return slab
    }
    this.#makeRoom(bytes)
    this.#made += bytes
    return own(this.allocate(bytes).fill(0))
  }

  /** Gives a slab of either size back. The caller must not use it again. */
  release(slab: OwnedBytes): void {
    this.#unused += slab.byteLength
    this.#tell()
    if (slab.byteLength === this.slabBytes) {
      this.#free.push(slab)
      return
    }
    this.copies?.givenUp(slab)
    this.#freeLarge.push(slab)
  }

  take(bytes: number, isOptional = false): boolean {
    return !(isOptional && this.isScarce) && this.#take(bytes, this.#bound)
  }

  hold(bytes: number): boolean {
    return this.#take(bytes, this.#bound - this.#bound / 4)
  }

  #take(bytes: number, most: number): boolean {
    if (!this.#mayHold(bytes, most)) return false
    this.#makeRoom(bytes)
    this.#elsewhere += bytes
    return true
  }

  give(bytes: number): void {
    this.#elsewhere -= bytes
    this.#tell()
  }

  /**
   * Sets so many bytes aside for somebody who waits and may bring them, or returns false: too many others do. All of them
   * together get half of the memory.
   */
  reserve(bytes: number): boolean {
    this.#reserved += bytes
    this.#tell()
    if (bytes === 0 || this.#heldByAll + this.#reservedByAll <= this.#bound / 2) return true
    this.unreserve(bytes)
    return false
  }

  /** They have come, or will not. */
  unreserve(bytes: number): void {
    this.#reserved -= bytes
    this.#tell()
  }

  /**
   * How many of `bytes` one transfer may hold now: all of them while less than half of what is not set aside is in
   * use, then less and less. When memory becomes scarce every window narrows, and no transfer has to fail.
   */
  share(bytes: number): number {
    const usable = this.#bound - Math.min(SLABS_PER_READ * this.slabBytes * this.flowingSources, this.#bound / 4)
    const held = this.#heldByAll + this.#reservedByAll
    return usable <= held ? 0 : Math.floor(bytes * Math.min(1, 2 - (2 * held) / usable))
  }

  /** Half of the memory is in use: every transfer gets less. */
  get isScarce(): boolean {
    return this.share(1) < 1
  }

  /** All memory that is in use, in bytes. */
  get heldBytes(): number {
    return this.#made - this.#unused + this.#elsewhere
  }

  /** Slabs that are in use, a large one as seven. */
  get inUse(): number {
    return (this.#made - this.#unused) / this.slabBytes
  }

  /** With what other pools hold within the same bound. */
  get #heldByAll(): number {
    return this.heldBytes + (this.others?.heldBytes ?? 0)
  }

  get #reservedByAll(): number {
    return this.#reserved + (this.others?.reservedBytes ?? 0)
  }

  get #bound(): number {
    return this.maxSlabs * this.slabBytes
  }

  /**
   * Whether so many bytes more may be held. What is wanted is told first, and then it is looked at what the others have: of two threads that
   * want the last bytes at the same moment one gets them, or none, and never both.
   */
  #mayHold(bytes: number, most = this.#bound): boolean {
    this.#tell(bytes)
    if (this.#heldByAll + bytes <= most) return true
    this.#tell()
    return false
  }

  #tell(more = 0): void {
    this.others?.tell(this.heldBytes + more, this.#reserved)
  }

  /** Free slabs that stand in the way of so many bytes more are left to the garbage collector. */
  #makeRoom(bytes: number): void {
    const most = this.#bound - (this.others?.heldBytes ?? 0) - bytes
    while (this.#made + this.#elsewhere > most) {
      const slab = this.#freeLarge.pop() ?? this.#free.pop()
      if (slab === undefined) return
      this.#made -= slab.byteLength
      this.#unused -= slab.byteLength
    }
  }
}
