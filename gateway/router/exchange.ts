import type {
  ReceiverEndpoint,
  Refusal,
  SenderEndpoint,
  SideLimits,
  Sink,
  Source,
  StreamHead,
} from '../../core/index.js'
import type { Body, Reply, WebSocketOffer } from '../host/plugin-api.js'
import type { AfterAnswer } from '../http/after-answer.js'
import type { Answer, HeaderList } from '../http/answers.js'
import type { Framing } from '../http/framing.js'
import type { RequestRecord } from '../http/request-record.js'
import type { RequestView } from '../http/request-view.js'
import type { Form } from '../stream/form-reader.js'

/** One request and the response to it, whatever carries them. It is used for exactly one of the three things below. */
export interface Exchange {
  /** Counts up from 1; the log knows this request by it. */
  readonly id: number
  /** Valid until the handler returns. */
  readonly request: RequestView
  /** Where it comes from: the peer, or what a trusted proxy says. */
  readonly clientAddress: string
  /** There when the client asks for a WebSocket. */
  readonly offer?: { readonly protocols: readonly string[] } | undefined
  /** The code of a refusal, for the log. */
  readonly code: string | undefined
  /** Headers of the response whatever it is: a stream, an answer, a refusal. */
  headersAlways: HeaderList
  /** Called once, when the response is over. */
  onOver: ((record: RequestRecord) => void) | undefined
  /** Called with what is said to the client instead of a stream. */
  onRefused: ((refusal: Refusal) => void) | undefined
  /** Answers with a refusal. `accept` is the client's `Accept`. */
  refuse(refusal: Refusal, accept: string, after?: AfterAnswer): void
  /**
   * Makes the response a plugin's, and the body of the request too when `framing` says how that is delimited: then it is
   * held until it is read. `failed` hears of what the plugin does wrong, and says what the client is told.
   */
  toReply(
    accept: string,
    after: AfterAnswer,
    failed: (error: unknown) => Refusal,
    framing?: Framing,
  ): Reply & {
    readonly body: Body
    limit(limits: SideLimits | undefined): void
    readonly accept: WebSocketOffer['accept']
  }
  /** Gives a complete short response at once, even while the client still uploads. */
  answer(answer: Answer, after?: AfterAnswer): void
  /** Makes the request's body a source. Until `joined` it holds what has been read already, and reads no more. */
  toSource(options: SourceOptions): Source & { joined(endpoint: SenderEndpoint): void }
  /** Makes the response a sink; `joined` has to follow. */
  toSink(options: SinkOptions): Sink & { joined(endpoint: ReceiverEndpoint): void }
}

/** What plugins add to one side. Read when it is joined or later: it may still grow while they decide. */
export interface Additions {
  readonly headers: HeaderList
  readonly limits: SideLimits | undefined
}

export interface SourceOptions {
  readonly more?: Additions | undefined
  /** Answer only when the outcome is known, with a true status. */
  readonly replyAtEnd: boolean
  /** The body is chunked. */
  readonly isChunked: boolean
  /** The client said that it bears `100 Continue`. */
  readonly expectsContinue: boolean
  /** A proxy is in between, and says so. */
  readonly throughProxy?: boolean
  /** The stream is a part of the body, which is a form. */
  readonly form?: Form | undefined
  /** Headers of the sender's response. */
  readonly headers: HeaderList
}

export interface SinkOptions {
  readonly more?: Additions | undefined
  /** The client's `Accept`, for an answer instead of a stream. */
  readonly accept: string
  /** The response headers once the head of the stream is known. */
  headers(head: StreamHead, transferId: string): HeaderList
}
