import type { Host } from '../../gateway/host/plugin-api.js'

/** A number that each thread has of its own, and their sum. */
export class Tally {
  readonly #numbers: Int32Array
  readonly #own: number

  constructor({ sharedMemory, thread }: Pick<Host, 'sharedMemory' | 'thread'>, name: string) {
    this.#numbers = new Int32Array(sharedMemory(name, 4 * thread.count))
    this.#own = thread.number
    // One that was here before may have died with some.
    this.set(0)
  }

  set(own: number): void {
    Atomics.store(this.#numbers, this.#own, own)
  }

  get sum(): number {
    return this.#numbers.reduce((sum, each) => sum + each, 0)
  }
}
