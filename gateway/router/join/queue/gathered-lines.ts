import type { MemoryBudget } from '../../../../core/index.js'
import { HeldBytes } from '../../../../core/index.js'
import type { HandedLines } from './handed-lines.js'
import type { TakenLine } from './taken-line.js'

/** Jobs that are whole and wait for their worker's connection: those of one turn leave together. */
export class GatheredLines {
  #lines: TakenLine[] = []
  #bytes = 0
  /** How much of the first one has been written. */
  #begun = 0
  readonly #held: HeldBytes

  constructor(memory: Pick<MemoryBudget, 'hold' | 'give'>) {
    this.#held = new HeldBytes(memory)
  }

  get count(): number {
    return this.#lines.length
  }

  get bytes(): number {
    return this.#bytes
  }

  add(line: TakenLine): void {
    this.#lines.push(line)
    this.#grow(line.bytes!.length)
  }

  /** One of which nothing has been written. */
  remove(line: TakenLine): void {
    const at = this.#lines.indexOf(line)
    if (at < 0) return
    this.#lines.splice(at, 1)
    this.#grow(-line.bytes!.length)
  }

  /** What is to be written. */
  get rest(): Uint8Array {
    const all = this.#lines.map(({ bytes }) => bytes!)
    all[0] = all[0]!.subarray(this.#begun)
    return all.length === 1 ? all[0] : Buffer.concat(all)
  }

  /** So many bytes of it have been. */
  handOver(taken: number, handed: HandedLines): void {
    let at = handed.end - this.#begun
    handed.wrote(taken)
    const { end } = handed
    let whole = 0
    for (let line = this.#lines[0]; line !== undefined && at < end; line = this.#lines[whole]) {
      line.start ??= at
      const { length } = line.bytes!
      if (at + length > end) break
      at += length
      whole++
      this.#grow(-length)
      handed.add(line)
    }
    this.#lines.splice(0, whole)
    this.#begun = end - at
  }

  /** Takes out those of which nothing has been written. */
  takeUnbegun(): TakenLine[] {
    const lines = this.#lines.splice(this.#begun > 0 ? 1 : 0)
    for (const { bytes } of lines) this.#grow(-bytes!.length)
    return lines
  }

  /** Takes out all of them. */
  takeAll(): TakenLine[] {
    this.#held.set(0)
    return this.#lines.splice(0)
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    // It is for one turn, so that it is counted where it can be.
    this.#held.set(this.#bytes)
  }
}
