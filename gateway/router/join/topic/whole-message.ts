import { HeldBytes, keep, Refusal } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import { textAnswer } from '../../../http/response/answer.js'
import { Publishing, type PublishRequest } from './publishing.js'

const NOTHING = new Uint8Array()

/** The body of a request is one message. It is published when its last byte has come. */
export class WholeMessage extends Publishing {
  /** What has come of a message that is not complete, counted as held. */
  #parts: Uint8Array[] = []
  #bytes = 0
  readonly #held: HeldBytes
  /** The last byte has been read, without which the connection could not be kept. */
  #isRead = false
  #isPublished = false
  #subscribers: number | undefined

  constructor(request: PublishRequest) {
    super(request)
    this.#held = new HeldBytes(request.memory)
    const { body } = request.reply
    body.read(
      (bytes) => this.#feed(bytes),
      () => this.#end(),
    )
  }

  delivered(subscribers: number): void {
    this.publication = undefined
    this.#subscribers = subscribers
    this.#answer()
  }

  protected override over(): void {
    super.over()
    this.#forget()
  }

  #feed(bytes: Uint8Array): void {
    const { reply, maxBytes } = this.request
    if (reply.isOver) return
    // Nearly every message comes in one piece, and need not be copied.
    if (this.#bytes === 0 && bytes.length === reply.body.length) {
      this.#publish(bytes)
      return
    }
    const found = this.#bytes + bytes.length
    if (found > maxBytes) this.#refuse(new Refusal(FAILURES.tooLarge, { found, expected: maxBytes }))
    else if (!this.#held.set(found)) this.#refuse(new Refusal(FAILURES.noMemory))
    else {
      this.#bytes = found
      this.#parts.push(keep(bytes))
    }
  }

  #end(): void {
    this.#isRead = true
    if (!this.#isPublished) {
      const message = this.#parts.length === 0 ? NOTHING : Buffer.concat(this.#parts)
      this.#forget()
      this.#publish(message)
    }
    this.#answer()
  }

  #publish(bytes: Uint8Array): void {
    this.#isPublished = true
    this.#subscribers = this.publish(bytes, this.request.parameters)
  }

  #answer(): void {
    if (!this.#isRead || this.#subscribers === undefined) return
    this.request.reply.give(textAnswer(200, `[INFO] Delivered to ${this.#subscribers} subscriber(s).\n`))
  }

  #refuse(refusal: Refusal): void {
    this.#forget()
    this.refused(refusal)
  }

  #forget(): void {
    this.#parts = []
    this.#bytes = 0
    this.#held.set(0)
  }
}
