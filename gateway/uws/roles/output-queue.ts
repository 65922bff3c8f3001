/** Pieces up to this size are joined before they leave. */
const SMALL = 16 * 1024

/** What a plugin has written and the client has not taken yet, in order. */
export class OutputQueue {
  /** Text behind all pieces. */
  #text = ''
  #pieces: Uint8Array[] = []
  /** Bytes in all pieces together. */
  #bytes = 0

  get kept(): number {
    return this.#text.length + this.#bytes
  }

  /** Once packed: all bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Once packed: the piece that leaves next. */
  get first(): Uint8Array | undefined {
    return this.#pieces[0]
  }

  addText(text: string): void {
    this.#text += text
  }

  add(bytes: Uint8Array): void {
    this.#encodeText()
    this.#push(bytes)
  }

  /** Makes one piece of what is small, and bytes of what is text. */
  pack(): void {
    this.#encodeText()
    if (this.#pieces.length > 1 && this.#bytes <= SMALL) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  /** So many bytes of the first piece have been taken. */
  take(bytes: number): void {
    this.#bytes -= bytes
    const first = this.#pieces[0]
    if (first === undefined) return
    if (bytes === first.length) this.#pieces.shift()
    else this.#pieces[0] = first.subarray(bytes)
  }

  drop(): void {
    this.#pieces = []
  }

  #encodeText(): void {
    if (this.#text === '') return
    const text = Buffer.from(this.#text)
    this.#text = ''
    this.#push(text)
  }

  #push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pieces.push(bytes)
    this.#bytes += bytes.length
  }
}
