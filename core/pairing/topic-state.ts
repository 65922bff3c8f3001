import type { EndReason } from '../end-reason.js'
import type { Failure } from '../failure.js'
import type { PipeState, PipeView, TopicCounts } from '../pipe-view.js'
import { MessageStreams } from '../topic/message-streams.js'
import { WaitingRoom } from '../topic/waiting-room.js'
import type { Publisher, TopicLimits } from '../topic-options.js'
import type { Subscriber } from './subscriber.js'
import type { TopicContext } from './topic-context.js'

/** What is known of a topic, for itself and for everybody who looks at it. */
export abstract class TopicState implements PipeView {
  readonly kind = 'topic'
  state: PipeState = 'waiting'
  /** Bytes of all messages, as their publishers sent them. */
  bytesIn = 0
  readonly openedAt: number
  pairedAt: number | undefined
  endedAt: number | undefined
  endReason: EndReason | undefined
  endFailure: Failure | undefined
  protected readonly subscribers = new Set<Subscriber>()
  /** Publishers that stay for more than one message. */
  protected readonly staying = new Set<Publisher>()
  /** Messages that wait. */
  protected readonly room: WaitingRoom
  protected readonly streams: MessageStreams
  protected messages = 0
  protected peak = 0
  protected cuts = 0

  readonly receiversWanted = 0
  readonly looks = 0
  readonly head = undefined
  readonly fanOut = undefined
  readonly live = undefined
  readonly expectedBytes = undefined
  readonly sha256 = undefined
  readonly bytesSkipped = 0

  constructor(
    readonly context: TopicContext,
    readonly id: number,
    readonly key: string,
    readonly transferId: string,
  ) {
    const { clock, slabs, turn, limits } = context
    this.openedAt = clock.now()
    this.room = new WaitingRoom(clock)
    this.streams = new MessageStreams(slabs, turn, limits.windowBytes)
  }

  get receiversPresent(): number {
    return this.subscribers.size
  }

  get bytesSent(): number {
    return this.streams.sent
  }

  get heldBackMs(): number {
    return this.room.heldMs
  }

  get topic(): TopicCounts {
    const { subscribers, staying, room, peak, messages, cuts } = this
    return {
      subscribers: subscribers.size,
      peak,
      publishers: staying.size,
      waiting: room.size,
      messages,
      cuts,
    }
  }

  get hasSender(): boolean {
    return this.staying.size > 0 || !this.room.isEmpty
  }

  get bytesOut(): number {
    return this.bytesIn
  }

  protected get limits(): TopicLimits {
    return this.context.limits.topic
  }
}
