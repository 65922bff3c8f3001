import type { PipeView } from '../../gateway/host/plugin-api.js'
import type { Receipt } from '../transfer-status/snapshot.js'
import { RetainedTransfer } from './retained-transfer.js'

export interface ReceiptsOptions {
  readonly most: number
  readonly keepMs: number
  /** The clock of the pipes, in milliseconds. */
  readonly now: () => number
  /** Unix time in milliseconds. */
  readonly wallClock: () => number
}

/**
 * Receipts of transfers that are over: never more than so many, and never older than so much. They stand in a ring in the
 * order in which the transfers ended. A Map would keep that order too, but each that is deleted from its front leaves a hole
 * that the next look has to skip, and short transfers are so short that it shows.
 */
export class Receipts {
  readonly #ring: (RetainedTransfer | undefined)[] = []
  /** Where the next one goes, and where the oldest stands. */
  #next = 0
  #oldest = 0
  #size = 0
  readonly #newest = new Map<string, RetainedTransfer>()

  constructor(readonly options: ReceiptsOptions) {}

  /** @param pipe one that has just ended, with its sender */
  add(pipe: PipeView): RetainedTransfer {
    const { most } = this.options
    const kept = new RetainedTransfer(pipe)
    const { key } = kept
    if (most === 0) return kept
    if (this.#size === most) this.#dropOldest()
    this.#ring[this.#next] = kept
    this.#next = (this.#next + 1) % most
    this.#size++
    const before = this.#newest.get(key)
    kept.older = before
    if (before !== undefined) before.newer = kept
    this.#newest.set(key, kept)
    return kept
  }

  /** The receipt of a transfer on this key; of two with the same id, which clients may choose, the later one. */
  get(key: string, transferId: string): RetainedTransfer | undefined {
    let kept = this.#newest.get(key)
    while (kept !== undefined && kept.transferId !== transferId) kept = kept.older
    return this.#fresh(kept)
  }

  /** The last transfer on this key. */
  last(key: string): RetainedTransfer | undefined {
    return this.#fresh(this.#newest.get(key))
  }

  /** As everybody may read it. */
  read(kept: RetainedTransfer): Receipt {
    const { now, wallClock } = this.options
    return kept.receipt(wallClock() - now())
  }

  get size(): number {
    return this.#size
  }

  /** Forgets those that are too old. */
  sweep(): void {
    while (this.#size > 0 && this.#isOld(this.#ring[this.#oldest]!)) this.#dropOldest()
  }

  #fresh(kept: RetainedTransfer | undefined): RetainedTransfer | undefined {
    return kept === undefined || this.#isOld(kept) ? undefined : kept
  }

  #isOld({ endedAt }: RetainedTransfer): boolean {
    return this.options.now() - endedAt > this.options.keepMs
  }

  #dropOldest(): void {
    const { key, newer } = this.#ring[this.#oldest]!
    this.#ring[this.#oldest] = undefined
    this.#oldest = (this.#oldest + 1) % this.options.most
    this.#size--
    // It is the last of its chain.
    if (newer === undefined) this.#newest.delete(key)
    else newer.older = undefined
  }
}
