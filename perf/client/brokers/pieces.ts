/** Finds whole messages in what arrives in pieces. */

/**
 * Takes what begins at `from` of `bytes[0, end)`. Returns where the next one begins, or `from` when it is not whole yet.
 * The memory is used again when the call returns.
 */
export type Split = (bytes: Buffer, from: number, end: number) => number

export class Pieces {
  readonly #split: Split
  /** The beginning of what is not whole. */
  #rest: Buffer | null = null

  constructor(split: Split) {
    this.#split = split
  }

  push(buffer: Buffer, from: number, to: number): void {
    const rest = this.#rest
    if (rest === null) this.#take(buffer, from, to)
    else this.#take(Buffer.concat([rest, buffer.subarray(from, to)]), 0, rest.length + to - from)
  }

  #take(bytes: Buffer, from: number, end: number): void {
    let at = from
    while (at < end) {
      const next = this.#split(bytes, at, end)
      if (next === at) break
      at = next
    }
    this.#rest = at === end ? null : Buffer.from(bytes.subarray(at, end))
  }
}

const LINE_FEED = 10

/** Hands on each line, without its end. */
export function lines(take: (bytes: Buffer, from: number, to: number) => void): Pieces {
  return new Pieces((bytes, from, end) => {
    const stop = bytes.indexOf(LINE_FEED, from)
    if (stop < 0 || stop >= end) return from
    take(bytes, from, stop)
    return stop + 1
  })
}
