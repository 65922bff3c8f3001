/** What is counted for the process. */
const COUNTED = ['waiting', 'streaming', 'heldBytes'] as const

export type Counted = (typeof COUNTED)[number]

/**
 * What all threads of a process count, in memory that they share. Each writes its own row, and reads all: a sum is as of a
 * moment ago, and never torn, for each number is written by one store.
 */
export class SharedCounts {
  readonly #rows: Float64Array

  /** @param number of this thread */
  constructor(
    buffer: SharedArrayBuffer,
    readonly number: number,
  ) {
    this.#rows = new Float64Array(buffer)
    this.#rows.fill(0, number * COUNTED.length, (number + 1) * COUNTED.length)
  }

  static bufferFor(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * COUNTED.length * Float64Array.BYTES_PER_ELEMENT)
  }

  set(name: Counted, value: number): void {
    this.#rows[this.number * COUNTED.length + COUNTED.indexOf(name)] = value
  }

  /** Of all other threads. */
  others(name: Counted): number {
    const column = COUNTED.indexOf(name)
    let sum = 0
    for (let row = 0, at = column; at < this.#rows.length; row++, at += COUNTED.length) {
      if (row !== this.number) sum += this.#rows[at]!
    }
    return sum
  }
}
