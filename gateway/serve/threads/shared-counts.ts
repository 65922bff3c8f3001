/** What is counted for the process. */
const COUNTED = ['waiting', 'streaming', 'heldBytes', 'reservedBytes', 'lostLines'] as const
/** Numbers from one row to the next: two cache lines, so that threads do not take one from each other at every count. */
const ROW = 16

export type Counted = (typeof COUNTED)[number]

/**
 * What all threads of a process count, in memory that they share. Each writes its own row, and reads all: a sum is as of a
 * moment ago, and never torn, for each number is written by one store.
 */
export class SharedCounts {
  readonly #rows: Float64Array
  /** Behind the numbers of each row, for {@link settle}. */
  readonly #words: Int32Array

  /** @param number of this thread */
  constructor(
    buffer: SharedArrayBuffer,
    readonly number: number,
  ) {
    this.#rows = new Float64Array(buffer)
    this.#words = new Int32Array(buffer)
    this.#rows.fill(0, number * ROW, (number + 1) * ROW)
  }

  /** With a row for the process's first thread, which is none of them: its number is their count. */
  static bufferFor(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer((threads + 1) * ROW * Float64Array.BYTES_PER_ELEMENT)
  }

  set(name: Counted, value: number): void {
    this.#rows[this.number * ROW + COUNTED.indexOf(name)] = value
  }

  /** Whatever is read after this call is read after all others can see what was set before it: processors look before they tell, otherwise. */
  settle(): void {
    Atomics.add(this.#words, 2 * ((this.number + 1) * ROW - 1), 1)
  }

  /** Of all other threads. */
  others(name: Counted): number {
    let sum = 0
    for (let row = 0, at = COUNTED.indexOf(name); at < this.#rows.length; row++, at += ROW) {
      if (row !== this.number) sum += this.#rows[at]!
    }
    return sum
  }
}
