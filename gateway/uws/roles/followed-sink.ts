import type { BorrowedBytes, PipeView, StreamHead } from '../../../core/index.js'
import type { FollowedSinkOptions } from '../../router/exchange.js'
import type { HttpExchange } from '../connection/http-exchange.js'
import { ArrivalMarks } from './arrival-marks.js'
import { UwsSink } from './sink.js'

/** A response of which it is told at any time what has arrived. */
export class FollowedUwsSink extends UwsSink {
  #marks: ArrivalMarks | undefined

  constructor(
    exchange: HttpExchange,
    readonly followed: FollowedSinkOptions,
  ) {
    super(exchange, followed)
  }

  override begin(head: StreamHead, pipe: PipeView, offset: number): void {
    this.#marks = new ArrivalMarks(this.exchange.context, this.exchange.socket)
    super.begin(head, pipe, offset)
  }

  override write(bytes: BorrowedBytes): number {
    const took = super.write(bytes)
    if (took > 0) this.#marks!.wrote(this.exchange.bytesOut)
    return took
  }

  get arrived(): number {
    return this.#marks?.arrived ?? 0
  }

  mayHaveBegun(offset: number): boolean {
    return this.#marks?.mayHaveBegun(offset) === true
  }

  override over(): void {
    super.over()
    // What had arrived when it was closed is known as soon as it has been.
    queueMicrotask(() => {
      try {
        this.followed.onOver()
      } catch (error) {
        this.exchange.context.onFault(error)
      }
      this.#marks?.release()
    })
  }
}
