import type { ReceiverSeat, SenderSeat, Sink, Source, StreamHead } from '../core/index.js'
import type { Answer, HeaderList } from './answers.js'
import type { RequestView } from './request-view.js'

/** One request and the response to it, whatever carries them. It is used for exactly one of the three things below. */
export interface Exchange {
  /** Counts up from 1; the log knows this request by it. */
  readonly id: number
  /** Valid until the handler returns. */
  readonly request: RequestView
  /** Gives a complete short response at once, even while the client still uploads. */
  answer(answer: Answer, after?: AfterAnswer): void
  /** Makes the request's body a source; `seated` must follow, in the same call of the handler. */
  toSource(options: SourceOptions): Source & { seated(seat: SenderSeat): void }
  /** Makes the response a sink; `seated` must follow, in the same call of the handler. */
  toSink(options: SinkOptions): Sink & { seated(seat: ReceiverSeat): void }
}

/**
 * What becomes of the connection after an answer.
 *
 * `keep`: it takes the next request. `discard`: the client is told to close; until it does, its upload is read and
 * dropped, for closing at once would reset the connection and a client that reads only when it has written everything
 * would never see the answer. `close`: closed at once, because the next request cannot be found in what follows.
 */
export type AfterAnswer = 'keep' | 'discard' | 'close'

export interface SourceOptions {
  /** Answer only when the outcome is known, with a true status. */
  readonly replyAtEnd: boolean
  /** The body is chunked. */
  readonly isChunked: boolean
  /** The client said that it bears `100 Continue`. */
  readonly expectsContinue: boolean
  /** Headers of the sender's response. */
  readonly headers: HeaderList
}

export interface SinkOptions {
  /** The client's `Accept`, for an answer instead of a stream. */
  readonly accept: string
  /** The response headers once the head of the stream is known. */
  headers(head: StreamHead, transferId: string): HeaderList
}
