import type { BodyFault, BorrowedBytes, Clock, Deadline, SenderEndpoint, StreamHead } from '../../core/index.js'
import type { BodyConsumer } from './body-consumer.js'
import { partHead, partNames } from './form-part.js'
import { MultipartParser, type PartFields, type PartHandler } from './multipart.js'

/** How long a form may take until the part that is the stream begins. */
const PART_MS = 30_000
/** The longest text, in bytes. It has to be kept until the form ends, because a file after it would be the stream. */
const MAX_TEXT = 1024 * 1024
const TEXT_TYPE = 'text/plain; charset=utf-8'

export interface Form {
  readonly boundary: string
  /** The stream's head as far as the request itself gives it. */
  readonly head: StreamHead
}

/** What the part that is being read is. */
type PartKind = 'stream' | 'unnamed file' | 'text' | 'nothing'

/**
 * Finds the stream in a form: its first file, or `input_text` when it has none. Other parts are read and dropped.
 *
 * The stream ends when the whole body has been read: only then is it certain that nothing is missing.
 */
export class FormReader implements BodyConsumer, PartHandler {
  readonly #parser: MultipartParser
  readonly #deadline: Deadline
  #current: PartKind = 'nothing'
  /** The stream has begun. */
  #opened = false
  #closed = false
  #failed = false
  /** The type of a file without a name. Browsers send such a file, without bytes, when none was chosen. */
  #type = ''
  #text: Buffer[] | undefined
  #textBytes = 0

  /** @param onBoundary called when the stream begins or has ended, so that the next bytes are something else */
  constructor(
    readonly endpoint: SenderEndpoint,
    readonly form: Form,
    clock: Clock,
    readonly onBoundary: () => void,
  ) {
    this.#parser = new MultipartParser(form.boundary, this)
    this.#deadline = clock.after(PART_MS, () => this.#fail('empty_form'))
  }

  /** The next bytes belong to the stream. */
  get isInStream(): boolean {
    return this.#current === 'stream'
  }

  feed(bytes: BorrowedBytes): void {
    if (!this.#failed) this.#parser.write(bytes)
  }

  end(): void {
    if (this.#failed) return
    if (this.#closed) this.endpoint.end()
    else this.onMalformed()
  }

  broken(): void {
    this.close()
    this.endpoint.broken()
  }

  left(): void {
    this.close()
    this.endpoint.left()
  }

  fault(): void {
    this.close()
    this.endpoint.fault()
  }

  onPartBegin(fields: PartFields): void {
    if (this.#opened || this.#failed) return
    const names = partNames(fields['content-disposition']?.[0] ?? '')
    if (names === undefined) {
      this.onMalformed()
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

  onPartData(bytes: BorrowedBytes): void {
    if (this.#current === 'unnamed file') this.#open(this.#type, undefined)
    if (this.#current === 'stream') this.endpoint.feed(bytes)
    else if (this.#current === 'text') this.#keepText(bytes)
  }

  onPartEnd(): void {
    this.#current = 'nothing'
    this.onBoundary()
  }

  onClosed(): void {
    this.#closed = true
    if (this.#opened) return
    if (this.#text === undefined) this.#fail('empty_form')
    else if (this.#textBytes > MAX_TEXT) this.#fail('too_large')
    else this.#sendText(this.#text)
  }

  onMalformed(): void {
    this.#fail('broken_form')
  }

  #open(type: string, filename: string | undefined): void {
    this.#opened = true
    this.#current = 'stream'
    this.#text = undefined
    this.#deadline.cancel()
    this.endpoint.opened(partHead(this.form.head, type, filename))
    this.onBoundary()
  }

  #keepText(bytes: BorrowedBytes): void {
    this.#textBytes += bytes.byteLength
    if (this.#textBytes <= MAX_TEXT) this.#text!.push(Buffer.from(bytes))
    else this.#text = []
  }

  #sendText(pieces: readonly Buffer[]): void {
    this.#open(TEXT_TYPE, undefined)
    for (const piece of pieces) this.endpoint.feed(piece)
    this.onPartEnd()
  }

  #fail(reason: BodyFault): void {
    this.close()
    this.endpoint.broken(reason)
  }

  /** Ignores the rest of the form. */
  close(): void {
    this.#failed = true
    this.#text = undefined
    this.#deadline.cancel()
  }
}
