import type { BorrowedBytes } from '../../../core/index.js'

/** The most of it that is kept, in bytes. */
const MAX_BYTES = 1024 * 1024

/** What is known of a part of a form that is no file. */
export interface FieldHead {
  readonly type: string
  readonly disposition: string | undefined
}

/** A part of a form that is no file. It is kept until the form ends, because a file behind it would be the stream. */
export class FormText {
  pieces: Buffer[] = []
  #bytes = 0

  /** @param isPreferred it is the field that pages of pipes have for their text, and comes before all other fields */
  constructor(
    readonly head: FieldHead,
    readonly isPreferred: boolean,
  ) {}

  /** It has more bytes than may be kept. */
  get isTooLong(): boolean {
    return this.#bytes > MAX_BYTES
  }

  add(bytes: BorrowedBytes): void {
    this.#bytes += bytes.byteLength
    this.pieces.push(Buffer.from(bytes))
  }

  drop(): void {
    this.pieces = []
  }
}
