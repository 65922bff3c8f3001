import { Dicer } from '@fastify/busboy'
import { type BorrowedBytes, Refusal } from '../../core/index.js'
import { FAILURES } from '../http/failures.js'
import { show } from '../http/parameters.js'

/** RFC 2046 section 5.1.1: the longest boundary there is. */
const MAX_BOUNDARY = 70
/** The fields of a part's head, in bytes. */
const MAX_HEAD = 8192
const MAX_PARTS = 1000

/** Space, tab, line break. */
const BLANK = [0x20, 0x09, 0x0d, 0x0a]

const FORM = /^multipart\/form-data[ \t]*(?:;|$)/i
const BOUNDARY = /;[ \t]*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/i

/** The boundary of a form; undefined when this is the type of something else. */
export function readBoundary(contentType: string): string | undefined | Refusal {
  const type = contentType.trim()
  if (!FORM.test(type)) return undefined
  const [, quoted, plain] = BOUNDARY.exec(type) ?? []
  const boundary = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
  const isSound = /^[\x20-\x7e]*[\x21-\x7e]$/.test(boundary) && boundary.length <= MAX_BOUNDARY
  if (isSound) return boundary
  const found = boundary === '' ? 'no boundary' : `the boundary "${show(boundary)}"`
  return new Refusal(FAILURES.badBoundary, { found })
}

/** Values in the order in which they came, by the field's name in lower case, as Latin-1 text. */
export type PartFields = Readonly<Record<string, readonly string[]>>

/** Who is told what is in a multipart body. All calls come from inside `write`. */
export interface PartTaker {
  partBegins(fields: PartFields): void
  /** The next bytes of the part, lent for this call. */
  partBytes(bytes: BorrowedBytes): void
  partEnds(): void
  /** The last boundary has been seen. */
  closed(): void
  /** It is no sound multipart body; the last call. */
  malformed(): void
}

/** Its type definitions do not know them; the buffer is never used. */
const LIMITS = { maxHeaderSize: 2 * MAX_HEAD, highWaterMark: Number.MAX_SAFE_INTEGER }

/** What Dicer gives the bytes of a part to. */
type PartStream = Parameters<Extract<Parameters<Dicer['on']>[1], (stream: never) => void>>[0]

/**
 * Takes a multipart body apart while it passes, and keeps nothing of it but a boundary that may have begun.
 *
 * Dicer would hand out each part as a stream, which keeps what nobody has read and tells its end in a later turn. Instead we
 * stand in for `push`, through which it fills that stream: bytes and ends come in their order, within `write`, and are lent
 * as they were lent to us. It also is content with what is not sound: a head that is cut off by a boundary, one that is too
 * long, a body that goes on behind its last boundary. For us the stream could be cut short there.
 */
export class Multipart {
  readonly #dicer: Dicer
  #parts = 0
  #closed = false
  #failed = false

  constructor(
    boundary: string,
    readonly taker: PartTaker,
  ) {
    this.#dicer = new Dicer({ boundary, ...LIMITS })
    this.#dicer.on('part', (part: PartStream) => this.#begin(part))
    this.#dicer.on('trailer', (bytes: Buffer) => this.#trail(bytes))
    this.#dicer.on('finish', () => this.#close())
    this.#dicer.on('error', () => this.#fail())
  }

  /** The next bytes of the body, lent for this call. */
  write(bytes: BorrowedBytes): void {
    if (this.#failed) return
    if (this.#closed) this.#trail(bytes)
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
      else if (!this.#failed) this.taker.partBegins(fields)
    })
    part.push = (bytes: BorrowedBytes | null) => {
      if (bytes === null) {
        if (!hasHead) this.#fail()
        else if (!this.#failed) this.taker.partEnds()
        part.emit('end')
      } else if (!this.#failed) {
        this.taker.partBytes(bytes)
      }
      return true
    }
  }

  #close(): void {
    if (this.#failed) return
    this.#closed = true
    this.taker.closed()
  }

  /** Behind the last boundary nothing stands but perhaps an empty line: otherwise the boundary stood inside the stream. */
  #trail(bytes: BorrowedBytes): void {
    if (bytes.some((byte) => !BLANK.includes(byte))) this.#fail()
  }

  #fail(): void {
    if (this.#failed) return
    this.#failed = true
    this.taker.malformed()
  }
}

function sizeOf(fields: PartFields): number {
  let size = 0
  for (const [name, values] of Object.entries(fields)) for (const value of values) size += name.length + value.length
  return size
}
