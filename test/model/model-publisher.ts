import type { EndReason, Publication, Publisher, PublishOptions, Refusal, TopicJoinOptions } from '../../core/index.js'
import type { Bench } from '../core/fakes/bench.js'

/** A publisher that records what it was told: `delivered <n>`, `refused <code>` or `failed <reason>`. */
export class ModelPublisher implements Publisher {
  readonly log: string[] = []
  /** Of the last refusal. */
  code: string | undefined

  delivered(subscribers: number): void {
    this.log.push(`delivered ${subscribers}`)
  }

  refused({ failure: { code } }: Refusal): void {
    this.code = code
    this.log.push(`refused ${code}`)
  }

  failed(reason: EndReason): void {
    this.log.push(`failed ${reason}`)
  }

  /** Returns its message while that waits. */
  publish(
    bench: Bench,
    key: string,
    text: string,
    options: PublishOptions & TopicJoinOptions,
  ): Publication | undefined {
    this.code = undefined
    const loan = Buffer.from(text, 'latin1')
    const outcome = bench.table.topics.publish(key, { bytes: loan, type: '' }, options, this)
    // Whoever kept the loan is found out.
    loan.fill(0x23)
    if (typeof outcome === 'number') this.delivered(outcome)
    else if (outcome instanceof bench.core.Refusal) this.refused(outcome)
    else return outcome
    return undefined
  }
}
