import { PieceBuffer } from './piece-buffer.js'

/** Bytes that are read as they come, and taken as somebody has time for them. */
export class Pieces {
  readonly #buffer = new PieceBuffer()
  readonly #resume: () => void
  #isPaused = false
  #hasEnded = false
  #failure: Error | undefined
  #wake: () => void = () => {}

  /** @param resume there is room again */
  constructor(resume: () => void) {
    this.#resume = resume
  }

  /** Where the next bytes go; valid until the next `add`, also while there is no room. */
  get room(): Buffer {
    return this.#buffer.room
  }

  /** So many bytes are in `room`. @returns false when nothing may be read until `resume` is called */
  add(count: number): boolean {
    this.#buffer.add(count)
    this.#wake()
    this.#isPaused = !this.#buffer.hasRoom
    return !this.#isPaused
  }

  /** No more will come. @param failure not all has come */
  end(failure?: Error): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#failure = failure
    this.#wake()
  }

  /**
   * The memory of a piece is used again once the second one after it is asked for.
   * @param close all has been taken, or no more is wanted
   * @throws what it has ended with
   */
  async *take(close: () => void): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const piece = this.#next()
        if (piece !== undefined) yield piece
        else if (this.#failure !== undefined) throw this.#failure
        else if (this.#hasEnded) return
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
      }
    } finally {
      close()
    }
  }

  #next(): Buffer | undefined {
    const piece = this.#buffer.next()
    if (this.#isPaused && this.#buffer.hasRoom) {
      this.#isPaused = false
      this.#resume()
    }
    return piece
  }
}
