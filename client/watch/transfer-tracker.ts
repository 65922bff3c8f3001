import type { Receipt, Snapshot } from '../../plugins/transfer-status/snapshot.js'
import { type ProgressEvent, receiptOf } from '../wire/events.js'

/** What an event means for who waits for the end. */
export type Step =
  | { readonly kind: 'on' }
  | { readonly kind: 'over'; readonly receipt: Receipt }
  /** The transfer that was followed is over, and the stream does not say how. */
  | { readonly kind: 'missed'; readonly transferId: string }
  /** Nothing is here, nothing was, and nothing shall be waited for. */
  | { readonly kind: 'nothing' }

const ON: Step = { kind: 'on' }

/**
 * Which transfer is followed, and how it ended. Before a stream flows whatever happens on the name counts; from then on that
 * one transfer does, so that the next one on the same name is not taken for it.
 */
export class TransferTracker {
  /** The latest of what the stream told. */
  snapshot: Snapshot | undefined
  /** The transfer that has been seen to flow, or to be over. */
  transferId: string | undefined
  #ended: Receipt | undefined

  /** @param last whether the last transfer of an idle name counts */
  constructor(readonly last: boolean) {}

  /** How it ended, if the state has told so and the connection was lost before `done`. */
  get ended(): Receipt | undefined {
    return this.#ended
  }

  take({ event, data }: ProgressEvent): Step {
    if (event === 'done') return this.#isOther(data.transferId) ? this.#missed() : { kind: 'over', receipt: data }
    if (event === 'progress') {
      if (this.snapshot !== undefined) this.snapshot = { ...this.snapshot, ...data }
      return ON
    }
    if (this.#isOther(data.transferId)) {
      return data.last?.transferId === this.transferId ? { kind: 'over', receipt: data.last! } : this.#missed()
    }
    this.snapshot = data
    if (data.state === 'idle') return this.#idle(data)
    if (data.state !== 'waiting') this.transferId = data.transferId ?? undefined
    this.#ended = receiptOf(data)
    return ON
  }

  #isOther(transferId: string | null): boolean {
    return this.transferId !== undefined && transferId !== this.transferId
  }

  #missed(): Step {
    return { kind: 'missed', transferId: this.transferId! }
  }

  #idle({ last }: Snapshot): Step {
    if (!this.last) return ON
    return last === null ? { kind: 'nothing' } : { kind: 'over', receipt: last }
  }
}
