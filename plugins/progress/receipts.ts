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
 * Receipts of transfers that are over: bounded in number and in age. They are in a ring, in the order in which the
 * transfers ended. A Map would keep that order too, but each entry that is deleted from its front leaves a hole that the next
 * access has to skip, and with short transfers that is measurable.
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
    const transfer = new RetainedTransfer(pipe)
    const { key } = transfer
    if (most === 0) return transfer
    if (this.#size === most) this.#dropOldest()
    this.#ring[this.#next] = transfer
    this.#next = (this.#next + 1) % most
    this.#size++
    const before = this.#newest.get(key)
    transfer.older = before
    if (before !== undefined) before.newer = transfer
    this.#newest.set(key, transfer)
    return transfer
  }

  /** The receipt of a transfer on this key; of two with the same id, which clients may choose, the later one. */
  get(key: string, transferId: string): RetainedTransfer | undefined {
    let transfer = this.#newest.get(key)
    while (transfer !== undefined && transfer.transferId !== transferId) transfer = transfer.older
    return this.#fresh(transfer)
  }

  /** The last transfer on this key. */
  last(key: string): RetainedTransfer | undefined {
    return this.#fresh(this.#newest.get(key))
  }

  /** The receipt that clients get. */
  read(transfer: RetainedTransfer): Receipt {
    const { now, wallClock } = this.options
    return transfer.receipt(wallClock() - now())
  }

  get size(): number {
    return this.#size
  }

  /** Forgets those that are too old. */
  sweep(): void {
    while (this.#size > 0 && this.#isOld(this.#ring[this.#oldest]!)) this.#dropOldest()
  }

  #fresh(transfer: RetainedTransfer | undefined): RetainedTransfer | undefined {
    return transfer === undefined || this.#isOld(transfer) ? undefined : transfer
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
