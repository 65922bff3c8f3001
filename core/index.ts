/** The core: pairing, state and flow. It sees connections as sources and sinks, and knows no transport. */
export { type BorrowedBytes, keep, type OwnedBytes, own } from './bytes.js'
export { Clock, type Deadline } from './clock.js'
export { type BodyFault, END_REASONS, type EndReason } from './end-reason.js'
export { CORE_FAILURES, type Failure, type FailureValues, Refusal } from './failure.js'
export { HeldBytes } from './flow/held-bytes.js'
export { type MemoryBudget, type OtherPools, SlabPool } from './flow/slab-pool.js'
export { TurnBudget } from './flow/turn-budget.js'
export type {
  AskOptions,
  DuplexJoinOptions,
  DuplexLetter,
  JoinOptions,
  ReceiverJoinOptions,
  SenderJoinOptions,
} from './join-options.js'
export type { KindName, StreamKindName } from './kind.js'
export type { Limits, SideLimits } from './limits.js'
export {
  LIVE_LIMITS,
  type LiveLimits,
  type LiveReceiverOptions,
  type LiveSenderOptions,
  type SlowPolicy,
} from './live-options.js'
export type { PipeObserver } from './observer.js'
export type { DuplexPeer } from './pairing/duplex-peer.js'
export { type Asker, PipeTable } from './pairing/pipe-table.js'
export type { Staying } from './pairing/queue.js'
export type { ReceiverEndpoint } from './pairing/receiver-endpoint.js'
export type { SenderEndpoint } from './pairing/sender-endpoint.js'
export type { TopicJoinOptions, Topics } from './pairing/topics.js'
export type {
  AskCounts,
  Delivery,
  DeliveryView,
  DuplexCounts,
  LiveCounts,
  PipeState,
  PipeView,
  QueueCounts,
  Side,
  TopicCounts,
} from './pipe-view.js'
export { isDoneOfMany } from './pipe-view.js'
export type { Digest, SenderEvent, Sink, SinkListener, Source } from './ports.js'
export { isServed, type Range } from './range.js'
export type { StreamHead } from './stream-head.js'
export { Throttle, type ThrottleBucket, type Throttled } from './throttle.js'
export { Publication } from './topic/publication.js'
export { TOPIC_FAILURES } from './topic-failure.js'
export {
  type Publisher,
  type PublishOptions,
  type SlowSubscriberPolicy,
  TOPIC_LIMITS,
  type TopicEncoding,
  type TopicFormat,
  type TopicLimits,
  type TopicMessage,
} from './topic-options.js'
