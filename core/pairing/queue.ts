import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, type Failure, Refusal } from '../failure.js'
import type { PipeView, QueueCounts, Side } from '../pipe-view.js'
import { SharedName } from './shared-name.js'

/** Somebody who stays on a queue for many jobs, and joins it for each of them, with `stays`. */
export interface Staying {
  /** No job follows for it: the gateway stops, or somebody has ended the queue. Its place is gone already. */
  ended(reason: EndReason, queue: PipeView): void
}

/** Each stream to exactly one receiver, first come, first served. The senders that wait are the store: nothing of theirs is read. */
export class Queue extends SharedName {
  readonly kind = 'queue'
  readonly sides = { sender: 'senders', receiver: 'receivers' }
  readonly #staying = { sender: new Set<Staying>(), receiver: new Set<Staying>() }

  override get queue(): QueueCounts {
    const { sendersWaiting: senders, receiversWaiting: receivers, running } = this.matching
    const { sender, receiver } = this.#staying
    return { senders, receivers, running: running.size, producers: sender.size, workers: receiver.size }
  }

  /** The name is theirs as long as they stay, also while they do not wait. Returns what to call when this one goes. */
  stay(side: Side, who: Staying): (() => void) | Refusal {
    const staying = this.#staying[side]
    const { maxQueued: expected } = this.context.limits
    if (staying.size >= expected) return new Refusal(CORE_FAILURES.queueFull, { expected, side: this.sides[side] })
    staying.add(who)
    return () => {
      if (staying.delete(who)) this.matching.settle()
    }
  }

  override get isHeld(): boolean {
    return this.#staying.sender.size + this.#staying.receiver.size > 0
  }

  override close(): void {
    super.close()
    this.#endStaying('shutting_down')
  }

  override stop(failure: Failure): void {
    super.stop(failure)
    this.#endStaying('stopped')
  }

  override end(reason: EndReason): void {
    super.end(reason)
    this.#endStaying(reason)
  }

  #endStaying(reason: EndReason): void {
    if (!this.isHeld) return
    const { sender, receiver } = this.#staying
    const all = [...sender, ...receiver]
    sender.clear()
    receiver.clear()
    // Before they are told: what they do then may free the name, which must not happen twice.
    this.matching.settle()
    for (const who of all) who.ended(reason, this)
  }
}
