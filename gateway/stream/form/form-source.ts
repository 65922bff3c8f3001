import type { Clock, EndReason, PipeView, SenderEndpoint, SenderEvent, Source } from '../../../core/index.js'
import type { BodyConsumer } from '../body-consumer.js'
import { type Form, FormReader } from './form-reader.js'

/**
 * A form as a source: the stream is one part of the request's body. Nothing of the stream is kept here, so pausing the
 * body pauses the stream. The other parts are read even while the core has paused the source.
 */
export class FormSource implements Source {
  #reader: FormReader | undefined
  #paused = true

  constructor(
    readonly body: Source & { joined(consumer: BodyConsumer): void },
    readonly form: Form,
    readonly clock: Clock,
  ) {}

  joined(endpoint: SenderEndpoint): void {
    this.#reader = new FormReader(endpoint, this.form, this.clock, () => this.#applyPause())
    this.body.joined(this.#reader)
    this.#applyPause()
  }

  pause(): void {
    this.#paused = true
    this.#applyPause()
  }

  resume(): void {
    this.#paused = false
    this.#applyPause()
  }

  notify(news: SenderEvent, pipe: PipeView): void {
    this.body.notify(news, pipe)
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.#reader?.close()
    this.body.end(reason, pipe)
  }

  #applyPause(): void {
    if (this.#paused && this.#reader?.isInStream === true) this.body.pause()
    else this.body.resume()
  }
}
