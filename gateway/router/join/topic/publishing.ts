import type { Topics } from '../../../../core/index.js'
import { type EndReason, type PipeView, type Publication, type Publisher, Refusal } from '../../../../core/index.js'
import { endingAnswer } from '../../../http/response/failure-answer.js'
import type { Exchange } from '../../exchange.js'
import type { RouterOptions } from '../../options.js'
import type { PublisherParameters } from './topic-parameters.js'

/** The longest message, in bytes. */
export const MOST_BYTES = 1024 * 1024

/** One request that publishes, and has been let in. */
export interface PublishRequest {
  readonly topics: Topics
  readonly key: string
  readonly parameters: PublisherParameters
  /** The media type of its messages; empty when it has not said one. */
  readonly type: string
  readonly reply: ReturnType<Exchange['toReply']>
  /** The client's `Accept`. */
  readonly accept: string
  readonly memory: RouterOptions['memory']
  /** Is told of a defect of the gateway. */
  readonly onFault: RouterOptions['onFault']
  /** The most bytes that its body may have. */
  readonly maxBytes: number
}

/** What both ways of publishing have in common: messages that wait, and how it ends. */
export abstract class Publishing implements Publisher {
  /** The message that waits. */
  protected publication: Publication | undefined

  constructor(readonly request: PublishRequest) {
    request.reply.onOver(() => this.over())
  }

  abstract delivered(subscribers: number): void

  refused(refusal: Refusal): void {
    this.publication = undefined
    this.request.reply.give(refusal)
  }

  failed(reason: EndReason, topic: PipeView): void {
    this.publication = undefined
    const { reply, accept } = this.request
    reply.give(endingAnswer(reason, topic, accept))
  }

  /** @param bytes lent for the call. Returns how many have it; undefined when the answer comes later, or has been given. */
  protected publish(bytes: Uint8Array, options: PublisherParameters): number | undefined {
    const { topics, key, type } = this.request
    const outcome = topics.publish(key, { bytes, type }, options, this)
    if (typeof outcome === 'number') return outcome
    if (outcome instanceof Refusal) this.refused(outcome)
    else this.publication = outcome
    return undefined
  }

  /** The response is over, in whatever way. */
  protected over(): void {
    const { publication } = this
    this.publication = undefined
    publication?.withdraw()
  }
}
