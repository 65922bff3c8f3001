import type { BorrowedBytes } from './bytes.js'
import type { EndReason } from './end-reason.js'
import type { Refusal } from './failure.js'
import type { PipeView } from './pipe-view.js'
import type { StreamHead } from './stream-head.js'

/** What one publisher says to everybody who is subscribed. */
export interface TopicMessage {
  /** Lent for the call. */
  readonly bytes: BorrowedBytes
  /** Its media type, fit for a header; empty when its publisher has not said one. */
  readonly type: string
}

/** How messages look to some of the subscribers of one topic. What they get is encoded once for all of them. */
export interface TopicFormat {
  readonly head: StreamHead
  /** What each subscriber gets first. */
  readonly opening?: Uint8Array | undefined
  /** What everybody gets when nothing has been said for a while: no message, but proxies see that the connection lives. */
  readonly silence?: Uint8Array | undefined
  /** What everybody gets last, when the topic ends cleanly. */
  readonly closing?: Uint8Array | undefined
  /**
   * The message as subscribers get it: at least one byte, valid until the next call.
   * @param id counts the messages of the topic, from 1
   */
  encode(message: TopicMessage, id: number): BorrowedBytes
}

/** What subscribers can ask for. Those with the same name share one format. */
export interface TopicEncoding {
  readonly name: string
  newFormat(): TopicFormat
}

/** What becomes of a subscriber that is a window behind: publishers wait for it, or it is cut. */
export type SlowSubscriberPolicy = 'hold' | 'cut'

/** What a publisher asks for. */
export interface PublishOptions {
  /** So many subscribers have to be there. */
  readonly min: number
  /** How long it waits for them, and for those who are behind, in milliseconds. */
  readonly waitMs: number
  readonly onlyIfAwaited?: boolean | undefined
  /** Absent: what the limits say. */
  readonly slow?: SlowSubscriberPolicy | undefined
}

/** A publisher's connection, seen from the core: hears what became of a message that had to wait. One of these, once. */
export interface Publisher {
  /** So many subscribers have the message in their windows, in the order in which all have it. */
  delivered(subscribers: number): void
  /** Nobody gets it. */
  refused(refusal: Refusal): void
  /** Nobody gets it: the wait is over, or the topic is. */
  failed(reason: EndReason, topic: PipeView): void
}

/** The limits of topics. */
export interface TopicLimits {
  /** Subscribers of one topic. */
  readonly maxSubscribers: number
  /** Holds for publishers that say nothing else. */
  readonly slow: SlowSubscriberPolicy
  /** A subscriber that takes nothing for so long while bytes wait for it is cut, in milliseconds. 0: never. */
  readonly stallMs: number
  /** After so many milliseconds without a message subscribers are told that nothing is, where their format can say so. */
  readonly silenceMs: number
}

export const TOPIC_LIMITS: TopicLimits = { maxSubscribers: 4096, slow: 'hold', stallMs: 0, silenceMs: 15_000 }
