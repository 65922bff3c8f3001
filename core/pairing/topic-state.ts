import type { EndReason } from '../end-reason.js'
import type { Failure } from '../failure.js'
import type { PipeState, PipeView, TopicCounts } from '../pipe-view.js'
import type { TopicLimits } from '../topic-options.js'
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
    this.openedAt = context.clock.now()
  }

  abstract readonly receiversPresent: number
  /** Publishers that stay for more than one message, and messages that wait. */
  protected abstract readonly publishers: number
  protected abstract readonly waiting: number
  abstract readonly bytesSent: number
  abstract readonly heldBackMs: number

  get topic(): TopicCounts {
    const { receiversPresent: subscribers, peak, publishers, waiting, messages, cuts } = this
    return { subscribers, peak, publishers, waiting, messages, cuts }
  }

  get hasSender(): boolean {
    return this.publishers + this.waiting > 0
  }

  get bytesOut(): number {
    return this.bytesIn
  }

  protected get limits(): TopicLimits {
    return this.context.limits.topic
  }
}
