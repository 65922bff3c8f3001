import type { BorrowedBytes } from '../../core/index.js'

/** The most of it, in bytes. */
const MAX_BYTES = 1024 * 1024

/** A part of a form that is no file. It is kept until the form ends, because a file behind it would be the stream. */
export class FormText {
  pieces: Buffer[] = []
  #bytes = 0

  constructor(
    /** The media type of the part. */
    readonly type: string,
    /** It is the field that pages of pipes have for their text, and comes before all other fields. */
    readonly isPreferred: boolean,
  ) {}

  get isTooLong(): boolean {
    return this.#bytes > MAX_BYTES
  }

  add(bytes: BorrowedBytes): void {
    this.#bytes += bytes.byteLength
    if (this.isTooLong) this.pieces = []
    else this.pieces.push(Buffer.from(bytes))
  }
}
