import type { EndReason, News, PipeView, Pulse, SenderSeat, Source } from '../../core/index.js'
import type { UwsSource } from '../uws/source.js'
import { type Form, FormReader } from './form-reader.js'

/**
 * A form as a source: the stream is one part of the request's body. Nothing of it is kept here, so that pausing the body
 * pauses the stream. What is not the stream flows whatever the core wants.
 */
export class FormSource implements Source {
  #reader: FormReader | undefined
  #wantPause = true

  constructor(
    readonly body: UwsSource,
    readonly form: Form,
    readonly pulse: Pulse,
  ) {}

  seated(seat: SenderSeat): void {
    this.#reader = new FormReader(seat, this.form, this.pulse, () => this.#pace())
    this.body.seated(this.#reader)
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

  tell(news: News, pipe: PipeView): void {
    this.body.tell(news, pipe)
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
