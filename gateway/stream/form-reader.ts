import type { BodyFault, BorrowedBytes, Clock, Deadline, SenderEndpoint, StreamHead } from '../../core/index.js'
import type { BodyConsumer } from './body-consumer.js'
import { Multipart, type PartFields, type PartTaker } from './multipart.js'
import { partHead, partNames } from './stream-head.js'

/** How long a form may take until the part begins that is the stream. */
const PART_MS = 30_000
/** The longest text, in bytes. It has to be kept: a file that comes behind it would be the stream. */
const MAX_TEXT = 1024 * 1024
const TEXT_TYPE = 'text/plain; charset=utf-8'

export interface Form {
  readonly boundary: string
  /** What the request itself says of the stream. */
  readonly head: StreamHead
}

/** What the bytes are that come now. */
type Current = 'stream' | 'unnamed file' | 'text' | 'nothing'

/**
 * Finds the stream in a form: its first file, or `input_text` when it has none. Other parts are read and dropped.
 *
 * The stream ends when the whole body has been read: only then it is known that it was not cut short.
 */
export class FormReader implements BodyConsumer, PartTaker {
  readonly #parser: Multipart
  readonly #deadline: Deadline
  #current: Current = 'nothing'
  /** The stream has begun. */
  #opened = false
  #closed = false
  #failed = false
  /** The type of a file without a name. Browsers send one, and empty, for a file that was not chosen. */
  #type = ''
  #text: Buffer[] | undefined
  #textBytes = 0

  /** @param onTurn called when the stream begins or has ended, and what comes next is something else */
  constructor(
    readonly endpoint: SenderEndpoint,
    readonly form: Form,
    clock: Clock,
    readonly onTurn: () => void,
  ) {
    this.#parser = new Multipart(form.boundary, this)
    this.#deadline = clock.after(PART_MS, () => this.#fail('empty_form'))
  }

  /** What comes now is the stream. */
  get isInStream(): boolean {
    return this.#current === 'stream'
  }

  feed(bytes: BorrowedBytes): void {
    if (!this.#failed) this.#parser.write(bytes)
  }

  end(): void {
    if (this.#failed) return
    if (this.#closed) this.endpoint.end()
    else this.malformed()
  }

  broken(): void {
    this.over()
    this.endpoint.broken()
  }

  left(): void {
    this.over()
    this.endpoint.left()
  }

  fault(): void {
    this.over()
    this.endpoint.fault()
  }

  partBegins(fields: PartFields): void {
    if (this.#opened || this.#failed) return
    const names = partNames(fields['content-disposition']?.[0] ?? '')
    if (names === undefined) {
      this.malformed()
      return
    }
    const { name, filename } = names
    const type = fields['content-type']?.[0] ?? ''
    if (filename === '') {
      this.#current = 'unnamed file'
      this.#type = type
    } else if (filename !== undefined) {
      this.#open(type, filename)
    } else if (name === 'input_text' && this.#text === undefined) {
      this.#current = 'text'
      this.#text = []
    }
  }

  partBytes(bytes: BorrowedBytes): void {
    if (this.#current === 'unnamed file') this.#open(this.#type, undefined)
    if (this.#current === 'stream') this.endpoint.feed(bytes)
    else if (this.#current === 'text') this.#keepText(bytes)
  }

  partEnds(): void {
    this.#current = 'nothing'
    this.onTurn()
  }

  closed(): void {
    this.#closed = true
    if (this.#opened) return
    if (this.#text === undefined) this.#fail('empty_form')
    else if (this.#textBytes > MAX_TEXT) this.#fail('too_large')
    else this.#sendText(this.#text)
  }

  malformed(): void {
    this.#fail('broken_form')
  }

  #open(type: string, filename: string | undefined): void {
    this.#opened = true
    this.#current = 'stream'
    this.#text = undefined
    this.#deadline.cancel()
    this.endpoint.opened(partHead(this.form.head, type, filename))
    this.onTurn()
  }

  #keepText(bytes: BorrowedBytes): void {
    this.#textBytes += bytes.byteLength
    if (this.#textBytes <= MAX_TEXT) this.#text!.push(Buffer.from(bytes))
    else this.#text = []
  }

  #sendText(pieces: readonly Buffer[]): void {
    this.#open(TEXT_TYPE, undefined)
    for (const piece of pieces) this.endpoint.feed(piece)
    this.partEnds()
  }

  #fail(reason: BodyFault): void {
    this.over()
    this.endpoint.broken(reason)
  }

  /** Nothing more of this form counts. */
  over(): void {
    this.#failed = true
    this.#text = undefined
    this.#deadline.cancel()
  }
}
