import type { StreamKindName } from './kind.js'
import type { SideLimits } from './limits.js'
import type { LiveReceiverOptions, LiveSenderOptions } from './live-options.js'
import type { PipeView } from './pipe-view.js'
import type { Digest, Sink } from './ports.js'
import type { Range } from './range.js'

/** What one side of a duplex pipe says of itself. */
export interface DuplexJoinOptions {
  /** The letter of a peer whose sender and receiver join one by one; absent: both join at once. */
  readonly letter?: DuplexLetter | undefined
  /** It speaks in messages: between two that do, their bounds are kept, and each is told of that. */
  readonly inMessages?: boolean | undefined
  /** The subprotocol of its WebSocket; undefined if it has none, or is none. */
  readonly protocol?: string | undefined
  /** Where what the other peer says goes. Of a peer that joins both directions at once, as a sender. */
  readonly sink?: Sink | undefined
}

export type DuplexLetter = 'a' | 'b'

/** What one side asks for when it joins. */
export interface JoinOptions {
  /** What it takes the name for. Absent: a pipe. */
  readonly kind?: StreamKindName | undefined
  /** Receivers that the stream waits for. On a pipe every side must say the same; on a live name the sender says it. */
  readonly receivers: number
  /** How long this side waits for the others, in milliseconds. */
  readonly waitMs: number
  /** It joins only if somebody of the other side waits already, and does not wait for anybody itself. */
  readonly onlyIfAwaited?: boolean | undefined
  /** Of what plugins allow it. They say so when all else has been read. */
  limits?: SideLimits | undefined
  /** On a queue: it stays there, has its place among those who do, and comes back for one job after the other. */
  readonly stays?: boolean | undefined
  /** On a duplex pipe: what of a peer this is. A sink is made last. */
  duplex?: DuplexJoinOptions | undefined
  /** Begins a digest of the stream, if this side wants one. */
  readonly newDigest?: (() => Digest) | undefined
}

export interface ReceiverJoinOptions extends JoinOptions {
  /** What it wants of the stream; everything when absent. For pipes: on other names it gets whatever comes. */
  readonly range?: Range | undefined
  /** It takes a live stream that runs as well as a pipe. */
  readonly orLive?: boolean | undefined
  readonly live?: LiveReceiverOptions | undefined
  /** On a queue: whether it can take this one of those that wait; every one when absent. One that it cannot take is for others. */
  readonly takes?: ((transfer: PipeView) => boolean) | undefined
}

/** What an asker says of its answer. */
export interface AskOptions {
  /** It must have begun so long after a worker got the question, in milliseconds. */
  readonly withinMs: number
  /** Draws the name by which a worker answers: one for each worker that gets the question, and nobody can guess it. */
  readonly newAnswerId: () => string
  /** Where the answer goes: the response of the same connection. */
  readonly sink: Sink
}

export interface SenderJoinOptions extends JoinOptions {
  /** A receiver that takes nothing for this long while bytes wait for it is cut, in milliseconds. 0: never. */
  readonly stallMs: number
  /** Names this transfer to people and programs. Unique, chosen by the caller. */
  readonly transferId: string
  /** The total that the sender hinted at, in bytes: only shown, never enforced. */
  readonly expectedBytes: number | undefined
  readonly live?: LiveSenderOptions | undefined
  /**
   * On a queue, and of a question: a receiver at which nothing has arrived for this long, although the sender had a byte for it, is cut, and another one
   * gets the stream. In milliseconds. 0: never.
   */
  readonly takeMs?: number | undefined
  /** On a queue: it is one job of an upload that has many. */
  readonly isLine?: boolean | undefined
  /** Of a question; its sink is made last. */
  ask?: AskOptions | undefined
}
