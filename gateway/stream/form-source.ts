import type { Clock, EndReason, PipeView, SenderEndpoint, SenderEvent, Source } from '../../core/index.js'
import type { BodyConsumer } from './body-consumer.js'
import { type Form, FormReader } from './form-reader.js'

/**
 * A form as a source: the stream is one part of the request's body. Nothing of it is kept here, so that pausing the body
 * pauses the stream. What is not the stream flows whatever the core wants.
 */
export class FormSource implements Source {
  #reader: FormReader | undefined
  #wantPause = true

  constructor(
    readonly body: Source & { joined(consumer: BodyConsumer): void },
    readonly form: Form,
    readonly clock: Clock,
  ) {}

  joined(endpoint: SenderEndpoint): void {
    this.#reader = new FormReader(endpoint, this.form, this.clock, () => this.#pace())
    this.body.joined(this.#reader)
    this.#pace()
  }

  pause(): void {
    this.#wantPause = true
    this.#pace()
  }

  resume(): void {
    this.#wantPause = false
    this.#pace()
  }

  notify(news: SenderEvent, pipe: PipeView): void {
    this.body.notify(news, pipe)
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.#reader?.over()
    this.body.end(reason, pipe)
  }

  #pace(): void {
    if (this.#wantPause && this.#reader?.isInStream === true) this.body.pause()
    else this.body.resume()
  }
}
