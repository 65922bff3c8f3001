import type { EndReason } from './end-reason.js'
import type { Failure } from './failure.js'
import type { KindName } from './kind.js'
import type { StreamHead } from './stream-head.js'

export type Side = 'sender' | 'receiver'

export type PipeState = 'waiting' | 'streaming' | 'ended'

/** How far a stream is at one receiver. */
export interface Delivery {
  /** Offset of the first byte that it wanted: more than 0 for one that had the others already. */
  readonly from: number
  /**
   * Offset in what has been read up to which everything has reached its machine, and not only the kernel of this one, which takes
   * megabytes at once. When it is gone, what it had been given.
   */
  readonly delivered: number
  readonly present: boolean
}

/** What has arrived, in contrast to what was taken: `bytesOut` runs ahead of it by what sockets hold. Costs a system call for each receiver. */
export interface DeliveryView {
  /** How far the slowest present receiver is; when none is left, how far the last one was. 0 before the stream flows. */
  readonly delivered: number
  /** Each receiver of the stream, in the order in which they came; empty before it flows. */
  readonly deliveries: readonly Delivery[]
}

/** What a live stream counts. */
export interface LiveCounts {
  /** Viewers that are here now. */
  readonly viewers: number
  /** The most that were here at once. */
  readonly peak: number
  /** How often parts of the stream were left out for a viewer, and how many viewers were cut because they were slow. */
  readonly skips: number
  readonly cuts: number
}

/** What a queue counts. */
export interface QueueCounts {
  /** Senders and receivers that wait. */
  readonly senders: number
  readonly receivers: number
  /** Transfers that stream. */
  readonly running: number
  /** Those who stay for many jobs, whether they wait just now or not. */
  readonly producers: number
  readonly workers: number
}

/** What a duplex pipe counts. */
export interface DuplexCounts {
  /** Peers that are here now, 2 at most. */
  readonly peers: number
  /** How many of them are WebSockets. */
  readonly webSockets: number
  /** Bytes in each direction: read from one peer, from the one that came first, and from the other. */
  readonly said: readonly [number, number]
  /** The subprotocol of its WebSockets; undefined: they have none, or there are none. */
  readonly protocol: string | undefined
}

/** What a topic counts. */
export interface TopicCounts {
  /** Subscribers that are here now, and the most that were at once. */
  readonly subscribers: number
  readonly peak: number
  /** Publishers that stay for more than one message. */
  readonly publishers: number
  /** Messages that wait: for subscribers, or for those who have not taken what came before. */
  readonly waiting: number
  /** Messages that were accepted, and how many subscribers were cut because they were slow. */
  readonly messages: number
  readonly cuts: number
}

/** What a name counts on which questions are asked. */
export interface AskCounts {
  /** Questions and workers that wait. */
  readonly askers: number
  readonly workers: number
  /** Questions that a worker has got, and whose answer is not over. */
  readonly unanswered: number
}

/** One of many jobs of an upload, which has no failure to tell of: no record need be made of it. */
export function isDoneOfMany({ isLine, endReason }: Pick<PipeView, 'isLine' | 'endReason'>): boolean {
  return isLine === true && (endReason === 'complete' || endReason === 'abandoned')
}

/** A read-only view of one pipe: the same object for its whole life. Times are readings of the core's clock. */
export interface PipeView {
  /** Counts up from 1: a name is used again, an id is not. */
  readonly id: number
  readonly key: string
  readonly kind: KindName
  readonly state: PipeState
  /** The sender's name for the transfer; empty while there is no sender. */
  readonly transferId: string
  readonly hasSender: boolean
  /** How often somebody has looked at what waits here: a preview in a chat, a browser that followed the link. */
  readonly looks: number
  /** The head of the stream; undefined before it is known. */
  readonly head: StreamHead | undefined
  /** Receivers without whom it does not begin. */
  readonly receiversWanted: number
  /** Receivers that are here now. */
  readonly receiversPresent: number
  /** Bytes read from the sender. */
  readonly bytesIn: number
  /** Undefined for what is not live. */
  readonly live: LiveCounts | undefined
  /** Of a name that is a queue as a whole. Each of its transfers is a view of its own, of the same kind, which has none. */
  readonly queue?: QueueCounts | undefined
  /** Undefined, or absent, for what is no topic. */
  readonly topic?: TopicCounts | undefined
  /** The same of a duplex pipe as a whole. Its transfers are its two directions. */
  readonly duplex?: DuplexCounts | undefined
  /** Of one direction of a duplex pipe: both of its peers speak in messages, so the stream says where each ends. */
  readonly inMessages?: boolean
  /** It is one job of an upload that has many. */
  readonly isLine?: boolean
  /** The same of a name on which questions are asked. Its transfers are its questions and its answers. */
  readonly ask?: AskCounts | undefined
  /** Of a question that a worker has got: what it is answered by. Whoever knows it can answer. */
  readonly answerId?: string | undefined
  /** It is an answer. */
  readonly isAnswer?: boolean
  /** How far in the stream the slowest receiver is; of a live stream, what has been read. What it skipped, because it had that already, counts once it has been read. */
  readonly bytesOut: number
  /** How far the bytes have really come; undefined while there is no sender. */
  readonly fanOut: DeliveryView | undefined
  /** Bytes that all receivers together have taken. */
  readonly bytesSent: number
  /** Bytes that were read and that some receiver did not want, for all receivers together. */
  readonly bytesSkipped: number
  /** For how long the sender has been held back while it streamed, in milliseconds. */
  readonly heldBackMs: number
  /** The stream's length, announced or hinted at. */
  readonly expectedBytes: number | undefined
  /** The stream's SHA-256 in hexadecimal, once its last byte has been read, if a side asked for it. */
  readonly sha256: string | undefined
  readonly openedAt: number
  readonly pairedAt: number | undefined
  readonly endedAt: number | undefined
  readonly endReason: EndReason | undefined
  /** Why it was `stopped`, in the words of the caller that stopped it. */
  readonly endFailure: Failure | undefined
}
