/** The most of a body that is kept, so that it can be sent again. */
const MOST_BYTES = 64 * 1024

/** The start of a body, from its first byte on, for as long as that is all that has been sent. */
export class KeptStart {
  #pieces: Uint8Array[] = []
  bytes = 0

  /** @param bytes lent for the call. @returns false: with them it is too much, and nothing is kept any more */
  add(bytes: Uint8Array): boolean {
    if (this.bytes + bytes.length > MOST_BYTES) return false
    this.addAll(bytes)
    return true
  }

  /** Whatever it comes to: nobody else has these. */
  addAll(bytes: Uint8Array): void {
    this.#pieces.push(bytes.slice())
    this.bytes += bytes.length
  }

  get pieces(): readonly Uint8Array[] {
    return this.#pieces
  }
}
