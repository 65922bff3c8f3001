import { endingOf, type PipeView } from '../../gateway/plugin-api.js'
import type { Receipt } from './snapshot.js'

export interface Kept {
  readonly key: string
  /** By the clock of the pipes. */
  readonly endedAt: number
  readonly receipt: Receipt
}

export interface ReceiptsOptions {
  readonly most: number
  readonly keepMs: number
  /** The clock of the pipes, in milliseconds. */
  readonly now: () => number
  /** Unix time in milliseconds. */
  readonly wallClock: () => number
}

/** Receipts of transfers that are over: never more than so many, and never older than so much. */
export class Receipts {
  /** Oldest first: a Map keeps the order in which keys were added. */
  readonly #byId = new Map<string, Kept>()
  readonly #lastByKey = new Map<string, Kept>()

  constructor(readonly options: ReceiptsOptions) {}

  /** @param pipe one that has just ended, with its sender */
  add(pipe: PipeView): Kept {
    const { most, now, wallClock } = this.options
    const endedAt = pipe.endedAt ?? now()
    const kept = { key: pipe.key, endedAt, receipt: receiptOf(pipe, endedAt, wallClock()) }
    const id = idOf(pipe.key, pipe.transferId)
    // An id that a client chose comes again: the last one counts.
    this.#drop(this.#byId.get(id))
    this.#byId.set(id, kept)
    this.#lastByKey.set(pipe.key, kept)
    if (this.#byId.size > most) this.#drop(this.#oldest())
    return kept
  }

  /** The receipt of a transfer on this key. */
  get(key: string, transferId: string): Kept | undefined {
    return this.#fresh(this.#byId.get(idOf(key, transferId)))
  }

  /** The last transfer on this key. */
  last(key: string): Kept | undefined {
    return this.#fresh(this.#lastByKey.get(key))
  }

  get size(): number {
    return this.#byId.size
  }

  /** Forgets those that are too old. */
  sweep(): void {
    for (let kept = this.#oldest(); kept !== undefined && this.#isOld(kept); kept = this.#oldest()) this.#drop(kept)
  }

  #oldest(): Kept | undefined {
    return this.#byId.values().next().value
  }

  #fresh(kept: Kept | undefined): Kept | undefined {
    return kept === undefined || this.#isOld(kept) ? undefined : kept
  }

  #isOld({ endedAt }: Kept): boolean {
    return this.options.now() - endedAt > this.options.keepMs
  }

  #drop(kept: Kept | undefined): void {
    if (kept === undefined) return
    this.#byId.delete(idOf(kept.key, kept.receipt.transferId))
    if (this.#lastByKey.get(kept.key) === kept) this.#lastByKey.delete(kept.key)
  }
}

/** Ids are looked for on one key only: clients choose them, and nobody shall see or replace what others have. */
function idOf(key: string, transferId: string): string {
  return `${key}\n${transferId}`
}

function receiptOf(pipe: PipeView, endedAt: number, wallClock: number): Receipt {
  const { bytesOut: bytes, pairedAt, receiversPresent: receivers } = pipe
  const ms = endedAt - (pairedAt ?? endedAt)
  const duration = Math.round(ms) / 1000
  const reason = pipe.endReason === 'complete' ? null : pipe.endReason!
  return {
    state: reason === null ? 'complete' : 'failed',
    transferId: pipe.transferId,
    bytes,
    bytesTransferred: bytes,
    totalBytes: reason === null ? bytes : (pipe.expectedBytes ?? null),
    duration,
    durationSec: duration,
    avgSpeed: ms > 0 ? Math.round((bytes / ms) * 1000) : null,
    receivers,
    totalReceivers: pipe.receiversWanted,
    reason,
    message: reason === null ? null : sentence(endingOf(reason, pipe).line),
    sha256: null,
    startedAt: pairedAt === undefined ? null : Math.round(wallClock - ms),
    endedAt: Math.round(wallClock),
  }
}

/** What stands behind `[ERROR] `, without the words that every failure begins with. */
function sentence(line: string): string {
  const rest = line.replace(/^Transfer failed: /, '')
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}
