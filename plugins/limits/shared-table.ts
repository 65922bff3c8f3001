import { randomFillSync } from 'node:crypto'
import type { Host } from '../../gateway/host/plugin-api.js'

/** Slots that a key may be in, one after the other. */
const PROBES = 16
/** Words of the table's head: the lock, and two seeds of the hash. */
const HEAD_WORDS = 4

/** Rows of numbers by key, in memory that all threads share. To be used inside of {@link SharedTable.locked}. */
export class SharedTable {
  readonly #words: Int32Array
  readonly #rows: Float64Array
  readonly #slots: number
  readonly #columns: number

  /**
   * @param name of the memory
   * @param maxKeys about how many keys it has room for; there are twice as many slots
   * @param columns numbers that a key has
   */
  constructor(host: Pick<Host, 'sharedMemory'>, name: string, maxKeys: number, columns: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(PROBES, 2 * maxKeys)))
    const hashes = 4 * (HEAD_WORDS + 2 * slots)
    // Nobody can choose keys that meet: the seeds are drawn at each start.
    const seed = (memory: Uint8Array) => randomFillSync(memory, 4, 8)
    const memory = host.sharedMemory(name, hashes + 8 * slots * columns, seed)
    this.#words = new Int32Array(memory, 0, hashes / 4)
    this.#rows = new Float64Array(memory, hashes)
    this.#slots = slots
    this.#columns = columns
  }

  /** Nobody else reads or writes meanwhile. It takes microseconds: `run` must not throw, or wait for anything. */
  locked<T>(run: () => T): T {
    const words = this.#words
    while (Atomics.compareExchange(words, 0, 0, 1) !== 0) Atomics.wait(words, 0, 1, 1)
    const result = run()
    Atomics.store(words, 0, 0)
    Atomics.notify(words, 0, 1)
    return result
  }

  /**
   * Where the row of a key begins in {@link rows}; -1 when it has none, or can have none.
   * @param rank gives a key that has no row one: a place that is empty or else where this is lowest, -Infinity for what is over
   *   and Infinity for what must stay. The row is then full of zeros.
   */
  find(key: string, rank?: (at: number) => number): number {
    const words = this.#words
    const [low, high] = this.#hash(key)
    let best = -1
    let lowest = Number.POSITIVE_INFINITY
    for (let i = 0; i < PROBES; i++) {
      const slot = (low + i) & (this.#slots - 1)
      const word = HEAD_WORDS + 2 * slot
      if (words[word] === low && words[word + 1] === high) return slot * this.#columns
      if (rank === undefined) continue
      const here = words[word] === 0 ? Number.NEGATIVE_INFINITY : rank(slot * this.#columns)
      if (here < lowest) [best, lowest] = [slot, here]
    }
    if (best < 0) return -1
    words[HEAD_WORDS + 2 * best] = low
    words[HEAD_WORDS + 2 * best + 1] = high
    this.#rows.fill(0, best * this.#columns, (best + 1) * this.#columns)
    return best * this.#columns
  }

  /** All numbers: those of a key stand beside each other. */
  get rows(): Float64Array {
    return this.#rows
  }

  /** Sets a column of all keys to 0. */
  clearColumn(column: number): void {
    for (let at = column; at < this.#rows.length; at += this.#columns) if (this.#rows[at] !== 0) this.#rows[at] = 0
  }

  /** Two hashes like FNV-1a, from two seeds. The first is never 0, which is an empty slot's. */
  #hash(key: string): readonly [number, number] {
    let [low, high] = [this.#words[1]!, this.#words[2]!]
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i)
      low = Math.imul(low ^ unit, 0x01000193)
      high = Math.imul(high ^ unit ^ (high >>> 15), 0x85ebca6b)
    }
    return [low ^ (low >>> 15) || 1, high]
  }
}
