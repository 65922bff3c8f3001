import { Dicer } from '@fastify/busboy'
import type { BorrowedBytes } from '../../../core/index.js'

/** The longest head of a part, in bytes. */
const MAX_HEAD = 8192
const MAX_PARTS = 1000

/** Space, tab, line break. */
const BLANK = [0x20, 0x09, 0x0d, 0x0a]

/** The header fields of a part: values in order of arrival, as Latin-1 text, by the field's name in lower case. */
export type PartFields = Readonly<Record<string, readonly string[]>>

/** Receives the parts of a multipart body. All calls come from inside `write`. */
export interface PartHandler {
  onPartBegin(fields: PartFields): void
  /** The next bytes of the part, borrowed for this call. */
  onPartData(bytes: BorrowedBytes): void
  onPartEnd(): void
  /** The last boundary has been read. */
  onClosed(): void
  /** The body is not valid; the last call. */
  onMalformed(): void
}

/** Options that Dicer's type definitions lack. The high-water mark has no effect: nothing is buffered. */
const LIMITS = { maxHeaderSize: 2 * MAX_HEAD, highWaterMark: Number.MAX_SAFE_INTEGER }

/** The stream to which Dicer pushes the bytes of a part. */
type PartStream = Parameters<Extract<Parameters<Dicer['on']>[1], (stream: never) => void>>[0]

/**
 * Parses a multipart body while it passes, and keeps nothing of it except what may be the beginning of a boundary.
 *
 * Dicer emits each part as a stream, which buffers what has not been read and ends in a later turn of the event loop.
 * So we replace that stream's `push`, by which Dicer fills it: then data and ends arrive in order, within `write`, and
 * the bytes are borrowed just as ours are. Dicer also accepts what is not valid: a head that is cut off by a boundary,
 * a head that is too long, a body that continues after its last boundary. The stream could be cut short there, so all
 * of these are errors here.
 */
export class MultipartParser {
  readonly #dicer: Dicer
  #parts = 0
  #closed = false
  #failed = false

  constructor(
    boundary: string,
    readonly handler: PartHandler,
  ) {
    this.#dicer = new Dicer({ boundary, ...LIMITS })
    this.#dicer.on('part', (part: PartStream) => this.#begin(part))
    this.#dicer.on('trailer', (bytes: Buffer) => this.#epilogue(bytes))
    this.#dicer.on('finish', () => this.#close())
    this.#dicer.on('error', () => this.#fail())
  }

  /** The next bytes of the body, borrowed for this call. */
  write(bytes: BorrowedBytes): void {
    if (this.#failed) return
    if (this.#closed) this.#epilogue(bytes)
    else this.#dicer.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  }

  #begin(part: PartStream): void {
    if (this.#closed || ++this.#parts > MAX_PARTS) {
      this.#fail()
      return
    }
    let hasHead = false
    part.on('error', () => this.#fail())
    part.on('header', (header: object) => {
      const fields = header as PartFields
      hasHead = true
      if (sizeOf(fields) > MAX_HEAD) this.#fail()
      else if (!this.#failed) this.handler.onPartBegin(fields)
    })
    part.push = (bytes: BorrowedBytes | null) => {
      if (bytes === null) {
        if (!hasHead) this.#fail()
        else if (!this.#failed) this.handler.onPartEnd()
        part.emit('end')
      } else if (!this.#failed) {
        this.handler.onPartData(bytes)
      }
      return true
    }
  }

  #close(): void {
    if (this.#failed) return
    this.#closed = true
    this.handler.onClosed()
  }

  /** Only blank space may follow the last boundary. Anything else means that the boundary was inside the stream. */
  #epilogue(bytes: BorrowedBytes): void {
    if (bytes.some((byte) => !BLANK.includes(byte))) this.#fail()
  }

  #fail(): void {
    if (this.#failed) return
    this.#failed = true
    this.handler.onMalformed()
  }
}

function sizeOf(fields: PartFields): number {
  let size = 0
  for (const [name, values] of Object.entries(fields)) for (const value of values) size += name.length + value.length
  return size
}
