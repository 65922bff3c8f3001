import type { BodyFault, BorrowedBytes, Clock, Deadline, SenderEndpoint, StreamHead } from '../../../core/index.js'
import type { BodyConsumer } from '../body-consumer.js'
import { fileDisposition, partHead, partNames } from './form-part.js'
import { type FieldHead, FormText } from './form-text.js'
import { MultipartParser, type PartFields, type PartHandler } from './multipart.js'

/** How long a form may take until the part that is the stream begins. */
const PART_MS = 30_000
const TEXT_NAME = 'input_text'
const TEXT: FieldHead = { type: 'text/plain; charset=utf-8', disposition: undefined }

export interface Form {
  readonly boundary: string
  /** The stream's head as far as the request itself gives it. */
  readonly head: StreamHead
}

/** What the part that is being read is. */
type PartKind = 'stream' | 'unnamed file' | 'text' | 'nothing'

/**
 * Finds the stream in a form: its first file; when it has none, `input_text`; when it has neither, its first part. A first part
 * that is too long to be kept is the stream in any case. Other parts are read and dropped.
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
  #text: FormText | undefined

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
    const disposition = fields['content-disposition']?.[0] ?? ''
    const names = partNames(disposition)
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
      this.#open(type, fileDisposition(filename))
    } else if (this.#text === undefined || (name === TEXT_NAME && !this.#text.isPreferred)) {
      this.#current = 'text'
      this.#text =
        name === TEXT_NAME ? new FormText(TEXT, true) : new FormText({ type: type || TEXT.type, disposition }, false)
    }
  }

  onPartData(bytes: BorrowedBytes): void {
    if (this.#current === 'unnamed file') this.#open(this.#type, undefined)
    if (this.#current === 'stream') this.endpoint.feed(bytes)
    else if (this.#current === 'text') this.#keep(this.#text!, bytes)
  }

  onPartEnd(): void {
    this.#current = 'nothing'
    this.onBoundary()
  }

  onClosed(): void {
    this.#closed = true
    if (this.#opened) return
    if (this.#text === undefined) this.#fail('empty_form')
    else if (this.#text.isTooLong) this.#fail('too_large')
    else {
      this.#begin(this.#text)
      this.onPartEnd()
    }
  }

  onMalformed(): void {
    this.#fail('broken_form')
  }

  #open(type: string, disposition: string | undefined): void {
    this.#opened = true
    this.#current = 'stream'
    this.#text = undefined
    this.#deadline.cancel()
    this.endpoint.opened(partHead(this.form.head, type, disposition))
    this.onBoundary()
  }

  #keep(text: FormText, bytes: BorrowedBytes): void {
    text.add(bytes)
    if (!text.isTooLong) return
    // Nobody names a field like this for a note beside a file: it is what Piping Server takes it for.
    if (text.isPreferred) text.drop()
    else this.#begin(text)
  }

  /** A field turns out to be the stream. */
  #begin({ head, pieces }: FormText): void {
    this.#open(head.type, head.disposition)
    for (const piece of pieces) this.endpoint.feed(piece)
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
