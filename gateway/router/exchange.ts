import type {
  EndReason,
  PipeView,
  Refusal,
  SenderEndpoint,
  SideLimits,
  Sink,
  SinkListener,
  Source,
  StreamHead,
} from '../../core/index.js'
import type { Body, Reply, WebSocketLink, WebSocketOffer } from '../host/plugin-api.js'
import type { ClientCertificate } from '../http/client-certificate.js'
import type { Framing } from '../http/framing.js'
import type { RequestRecord } from '../http/request-record.js'
import type { RequestView } from '../http/request-view.js'
import type { Answer, HeaderList } from '../http/response/answer.js'
import type { Persistence } from '../http/response/persistence.js'
import type { BodyConsumer } from '../stream/body-consumer.js'
import type { Form } from '../stream/form/form-reader.js'
import type { ReceiverHead } from '../stream/receiver-headers.js'

/**
 * One request and its response, independent of the transport. It becomes exactly one of these: an answer or a refusal,
 * a plugin's reply, one side of a pipe.
 */
export interface Exchange {
  /** Counts up from 1; the log knows this request by it. */
  readonly id: number
  /** Valid until the handler returns. */
  readonly request: RequestView
  /** How the request's body is delimited, or why its head is refused. */
  readonly framing: Framing | Refusal
  /** The client: the peer, or the address that a trusted proxy gives. */
  readonly clientAddress: string
  /** Why its client is not served: it has to show a certificate and has not, or it has shown one that does not count. */
  readonly clientRefusal: Refusal | undefined
  /** The certificate that its client has shown; undefined also when it was not asked before the connection was over. */
  readonly clientCertificate: ClientCertificate | undefined
  /** Present when the client asks for a WebSocket. */
  readonly offer?: { readonly protocols: readonly string[] } | undefined
  /** The code of a refusal, for the log. */
  readonly code: string | undefined
  /** Headers of the response, whatever it is: a stream, an answer or a refusal. */
  headersAlways: HeaderList
  /** Called once, when the response is over. */
  onOver: ((record: RequestRecord) => void) | undefined
  /** Called when the client gets a refusal instead of a stream. */
  onRefused: ((refusal: Refusal) => void) | undefined
  /** Answers with a refusal. `accept` is the client's `Accept`. */
  refuse(refusal: Refusal, accept: string, after?: Persistence): void
  /**
   * Gives the response to a plugin, and the body of the request too when `framing` is given: the body is held until the
   * plugin reads it. `failed` is called with what the plugin does wrong, and returns the refusal for the client.
   */
  toReply(
    accept: string,
    after: Persistence,
    failed: (error: unknown) => Refusal,
    framing?: Framing,
  ): Reply & {
    readonly body: Body
    limit(limits: SideLimits | undefined): void
    readonly accept: (
      ...offered: [...Parameters<WebSocketOffer['accept']>, terms?: SocketTerms]
    ) => PeerLink | undefined
    /** Called once, when the response is over, however it ended. */
    onOver(run: () => void): void
  }
  /** Sends a complete short response at once, even while the client still uploads. */
  answer(answer: Answer, after?: Persistence): void
  /** Makes the request's body a source. Until `joined` it holds what has been read already and reads no more. */
  toSource(options: SourceOptions): Source & { joined(endpoint: SenderEndpoint): void }
  /** Makes the response a sink; `joined` must follow. */
  toSink(options: SinkOptions): Sink & { joined(listener: SinkListener): void }
  /** The same, of which it is told what has arrived. */
  toFollowedSink(options: FollowedSinkOptions): FollowedSink
  /** Both at once. Until its `joined` the source holds what has been read already and reads no more. */
  toTwoWay(
    options: TwoWayOptions,
    sinkOptions: SinkOptions,
  ): {
    readonly source: Source & { joined(consumer: BodyConsumer): void }
    readonly sink: Sink & { joined(listener: SinkListener): void }
  }
}

/** What holds for a WebSocket. */
export interface SocketTerms {
  /** The longest message, in bytes. */
  readonly mostBytes: number
  /** From so many bytes on that are kept for a client that does not read, it is told to wait for `onDrain`. */
  readonly enoughBytes: number
  /** For how long its client may be held while there is no memory for the rest of a message, in milliseconds. */
  readonly memoryMs: number
}

/** A WebSocket that is a peer: it can be held, and messages can leave in pieces. */
export interface PeerLink extends WebSocketLink {
  /** Bytes that were sent and have not reached the client's machine. */
  readonly queued: number
  /** Sends a piece of a message. All pieces of one follow each other. */
  sendPiece(bytes: Uint8Array, isText: boolean, isFirst: boolean, isLast: boolean): void
  /** While on, the client is not read. Messages of the last read may still come, and without the helper all do. */
  hold(on: boolean): void
  /** Calls `arrived` once nearly all that was sent has reached the client's machine, and closes then. */
  closeBehind(code: number, reason: string, arrived: () => void): void
  /**
   * The same with code 1000, and what the client says until it has answered still comes. `arrived` is told whether that is so: without
   * the helper it has been closed for good.
   */
  closeAndListen(arrived: (listens: boolean) => void): void
}

/** A response that goes on for as long as its client stays, and of which it matters at any time what has arrived. */
export interface FollowedSink extends Sink {
  joined(listener: SinkListener): void
  /** Up to which byte everything has arrived at the client's machine, for certain. */
  readonly arrived: number
  /** Whether a byte at this place or behind it may have arrived there. */
  mayHaveBegun(offset: number): boolean
}

/** A source whose request is answered by something else than how it ended. */
export interface TwoWayOptions {
  readonly additions?: PluginAdditions | undefined
  /** Of the body; undefined: it is chunked. */
  readonly length: number | undefined
  /** The end of what is received is no end of the request: one direction may end before the other. */
  readonly halfCloses?: boolean | undefined
  /** Called with the end of the source's transfer. */
  readonly onEnd?: ((reason: EndReason, pipe: PipeView) => void) | undefined
}

/** What plugins add to one side. Do not read it before `joined`: it may still grow while plugins decide. */
export interface PluginAdditions {
  readonly headers: HeaderList
  readonly limits: SideLimits | undefined
}

export interface SourceOptions {
  readonly additions?: PluginAdditions | undefined
  /** Answer only when the outcome is known, with a true status. */
  readonly replyAtEnd: boolean
  /** The body is chunked. */
  readonly isChunked: boolean
  /** The client sent `Expect: 100-continue`. */
  readonly expectsContinue: boolean
  /** The request came through a proxy. */
  readonly throughProxy?: boolean
  /** The stream is a part of the body, which is a form. */
  readonly form?: Form | undefined
  /** Headers of the sender's response. */
  readonly headers: HeaderList
}

export interface SinkOptions {
  readonly additions?: PluginAdditions | undefined
  /** The client's `Accept`, for an answer in place of a stream. */
  readonly accept: string
  /**
   * Status and headers of the response, once the head of the stream is known.
   * @param offset place in the stream of its first byte
   */
  respond(head: StreamHead, pipe: PipeView, offset: number): ReceiverHead
  /** It counts as finished only when all of it has reached the client's machine. */
  readonly isConfirmed?: boolean
  /** The head leaves before there is a byte of the stream, where that can be had. */
  readonly headAtOnce?: boolean
  /** Called when the response is cut after it had begun. */
  readonly onCut?: (() => void) | undefined
}

export interface FollowedSinkOptions extends SinkOptions {
  /** Called once when the response is over, in whatever way: `arrived` and `mayHaveBegun` say the last then, and nothing afterwards. */
  onOver(): void
}
