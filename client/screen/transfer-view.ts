import { Meter } from '../../plugins/progress/meter.js'
import { IDLE } from '../../plugins/transfer-status/idle.js'
import type { Snapshot } from '../../plugins/transfer-status/snapshot.js'
import type { ConnectionLoss, View } from '../watch/view.js'

/** What is known of a transfer that this program makes itself, as `pipegate watch` would see it. Times are milliseconds. */
export class TransferView {
  #snapshot: Snapshot
  #loss: ConnectionLoss | undefined
  #meter: Meter | undefined
  #moves = 0
  #movedAt = 0
  #bytes = 0

  /** @param total bytes that there will be, null when nobody knows */
  constructor(
    readonly label: string,
    isSender: boolean,
    total: number | null,
    readonly now: () => number = () => performance.now(),
  ) {
    const there = isSender ? { totalReceivers: 1 } : { receivers: 1, activeReceivers: 1, totalReceivers: 1 }
    this.#snapshot = { ...IDLE, state: 'waiting', hasSender: isSender, totalBytes: total, ...there }
  }

  get view(): View {
    const { label: name, now } = this
    const stillMs = this.#movedAt === 0 ? 0 : now() - this.#movedAt
    return { name, snapshot: this.#figures(), loss: this.#loss, moves: this.#moves, stillMs }
  }

  waiting(receivers: number, wanted: number | undefined): void {
    this.#loss = undefined
    this.#change({ receivers, activeReceivers: receivers, ...(wanted === undefined ? {} : { totalReceivers: wanted }) })
  }

  streaming(receivers: number, total: number | null = this.#snapshot.totalBytes): void {
    this.#loss = undefined
    this.#meter = new Meter(this.now())
    this.#movedAt = this.now()
    const there = { receivers, activeReceivers: receivers, totalReceivers: receivers }
    this.#change({ state: 'streaming', hasSender: true, totalBytes: total, ...there })
  }

  left(): void {
    const receivers = Math.max(0, this.#snapshot.receivers - 1)
    this.#change({ receivers, activeReceivers: receivers })
  }

  lost(loss: ConnectionLoss): void {
    this.#loss = loss
  }

  bytes(bytes: number): void {
    this.#bytes = bytes
    this.#moves++
    this.#movedAt = this.now()
  }

  /** To be called four times a second. */
  sample(): void {
    this.#meter?.sample(this.now(), this.#bytes)
  }

  #change(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change }
  }

  #figures(): Snapshot {
    const meter = this.#meter
    if (meter === undefined) return this.#snapshot
    const now = this.now()
    const bytes = this.#bytes
    return {
      ...this.#snapshot,
      bytes,
      speed: meter.speed(now, bytes),
      eta: meter.eta(now, bytes, this.#snapshot.totalBytes),
      elapsed: (now - meter.startedAt) / 1000,
    }
  }
}
