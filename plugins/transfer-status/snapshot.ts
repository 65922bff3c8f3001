/**
 * What everybody may see of a name, as JSON: the answer to `?status`, and the data of each `state` event. Sizes are bytes, times
 * seconds, speeds bytes per second; null is what is not known. Fields that stand in two spellings have the same value in
 * both: clients of two other systems read them.
 */
export interface Snapshot extends Figures {
  readonly state: 'idle' | 'waiting' | 'streaming' | 'complete' | 'failed'
  readonly kind: 'pipe' | 'live' | 'queue' | 'topic' | 'ask' | 'duplex' | 'ws'
  /** The sender's, null while there is none. */
  readonly transferId: string | null
  readonly hasSender: boolean
  /** A key of core/end-reason.ts, null before the end and for `complete`. */
  readonly reason: string | null
  /** The same for people: `The sender disconnected.` */
  readonly message: string | null
  readonly sha256: string | null
  /** Unix time in milliseconds at which the stream began. */
  readonly startedAt: number | null
  /** Unix time in milliseconds since when somebody waits; null when nobody does. */
  readonly waitingSince: number | null
  /** What the sender calls the file, and its type as receivers are told, before the end. */
  readonly fileName: string | null
  readonly mediaType: string | null
  /** How often somebody has looked at what waits, and has taken nothing. */
  readonly looks: number
  /** The last transfer of an idle name, while its receipt lives. */
  readonly last: Receipt | null
}

/** What a live stream has besides. What is not live has none of these. */
export interface LiveFigures {
  readonly live: true
  /** Viewers that are there, and the most that were at once. */
  readonly viewers: number
  readonly peak: number
  /** How often parts were left out for a viewer, and how many viewers were cut because they were slow. */
  readonly skips: number
  readonly cuts: number
}

/** What a topic has besides. What is none has none of these. */
export interface TopicFigures extends Pick<LiveFigures, 'peak' | 'cuts'> {
  readonly topic: true
  /** Subscribers that are there; `peak` is the most that were at once. */
  readonly subscribers: number
  /** Publishers that stay for more than one message. */
  readonly publishers: number
  /** Messages that wait for somebody to come, or for those who are behind. */
  readonly waitingMessages: number
  /** Messages that were accepted. */
  readonly messages: number
}

type Maybe<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** The same where it is not known what it is. */
export type MaybeLive = Maybe<LiveFigures> & Maybe<TopicFigures>

/** What a name has besides that is a queue. Its transfers have none of these. */
export interface QueueFigures {
  readonly queue: true
  /** Senders and receivers that wait, and transfers that run. */
  readonly waitingSenders: number
  readonly waitingReceivers: number
  readonly running: number
  /** Those who stay for many jobs in one request, whether they wait or not. */
  readonly producers: number
  readonly workers: number
}

/** The same where it is not known whether it is a queue. */
export type MaybeQueue = { readonly [K in keyof QueueFigures]?: QueueFigures[K] | undefined }

/** What a name has besides on which questions are asked. Its questions and answers have none of these. */
export interface AskFigures {
  readonly ask: true
  /** Askers and workers that wait, and questions that a worker has got and whose answer is not over. */
  readonly waitingAskers: number
  readonly waitingWorkers: number
  readonly unanswered: number
}

/** The same where it is not known whether it is one. */
export type MaybeAsk = { readonly [K in keyof AskFigures]?: AskFigures[K] | undefined }

/** What a name has besides that is a duplex pipe. Its two directions have none of these. */
export interface DuplexFigures {
  readonly duplex: true
  /** Peers that are here, 2 at most, and how many of them are WebSockets. */
  readonly peers: number
  readonly webSockets: number
  /** Bytes read from the peer that came first, and from the other. */
  readonly saidBytes: readonly [number, number]
  /** The subprotocol of its WebSockets. */
  readonly protocol: string | null
}

/** The same where it is not known whether it is one. */
export type MaybeDuplex = { readonly [K in keyof DuplexFigures]?: DuplexFigures[K] | undefined }

/** What changes while bytes flow: the data of each `progress` event. */
export interface Figures extends MaybeLive, MaybeQueue, MaybeAsk, MaybeDuplex {
  /**
   * What has reached the machine of the slowest receiver; of a live stream or a topic, what was sent; of a queue and of a
   * duplex pipe, what all its transfers have moved since it began.
   */
  readonly bytes: number
  readonly bytesTransferred: number
  readonly totalBytes: number | null
  /** Over the last seconds; 0 while nothing moves. */
  readonly speed: number | null
  /** The same in 10^6 bytes per second, with one decimal. */
  readonly mbps: number | null
  readonly avgSpeed: number | null
  readonly eta: number | null
  readonly etaSec: number | null
  readonly elapsed: number | null
  /** Receivers that are there. */
  readonly receivers: number
  readonly activeReceivers: number
  /** Receivers that the stream waits for, or waited for; null for a live stream, a queue and a topic, which have as many as come, and for a duplex pipe. */
  readonly totalReceivers: number | null
  /** Bytes that were sent to the slowest receiver and have not reached its machine. */
  readonly inFlight: number
  /** With several receivers: what has reached the machine of each, in the order in which they came; null for one that has left. */
  readonly receiverBytes: readonly (number | null)[] | null
}

/** What is kept of a transfer that is over; the same fields are the data of the `done` event. */
export interface Receipt extends MaybeLive {
  readonly state: 'complete' | 'failed'
  /** Absent for a pipe. */
  readonly kind?: Snapshot['kind'] | undefined
  readonly transferId: string
  readonly bytes: number
  readonly bytesTransferred: number
  readonly totalBytes: number | null
  readonly duration: number
  readonly durationSec: number
  readonly avgSpeed: number | null
  /** That were there at the end. */
  readonly receivers: number
  readonly totalReceivers: number | null
  readonly reason: string | null
  readonly message: string | null
  readonly sha256: string | null
  /** Unix times in milliseconds; `startedAt` is null when it never streamed. */
  readonly startedAt: number | null
  readonly endedAt: number
}
