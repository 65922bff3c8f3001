/** The state of a name, followed by `?progress`. */
import { type ConnectionStatus, Follower } from '../../../page-kit/page/browser/follower.js'
import { afterDone, afterProgress, afterState, type DisplayState } from '../../../page-kit/page/display-state.js'
import { type View, viewOf } from '../../../page-kit/page/view.js'
import { IDLE } from '../../../transfer-status/idle.js'
import type { Figures, Receipt, Snapshot } from '../../../transfer-status/snapshot.js'

/** Before the first event: one receiver is expected. */
export const EXPECTED: Snapshot = { ...IDLE, totalReceivers: 1 }

export interface LiveTransferOptions {
  /** Of what is followed. */
  readonly url: string
  readonly headers: () => Readonly<Record<string, string>>
  /** A transfer that was over before, and is not this page's. */
  readonly stale?: string | null
  /** Something is different, or a second has passed. */
  changed(): void
  done?(receipt: Receipt): void
  /** The gateway refused to tell. */
  refused?(status: number, why: string): void
}

export class LiveTransfer {
  shown: DisplayState = EXPECTED
  /** Undefined before the first answer. */
  link: ConnectionStatus | undefined
  #movedAt: number | null = null
  #updatedAt = Date.now()
  readonly #follower: Follower
  readonly #clock: ReturnType<typeof setInterval>

  constructor(readonly options: LiveTransferOptions) {
    this.#follower = new Follower(
      options.url,
      {
        event: (name, data) => this.#event(name, data),
        link: (link) => {
          this.link = link
          if (link.kind === 'lost' && link.status !== undefined) options.refused?.(link.status, link.why)
          options.changed()
        },
      },
      options.headers,
    )
    this.#clock = setInterval(() => options.changed(), 1000)
    this.#follower.start()
  }

  again(): void {
    this.#follower.again()
  }

  /** Until `again`. */
  pause(): void {
    this.#follower.pause()
  }

  end(): void {
    clearInterval(this.#clock)
    this.#follower.end()
  }

  view(): View {
    const now = Date.now()
    const { shown } = this
    const isRunning = shown.state === 'streaming' && this.link?.kind === 'live'
    const elapsed = isRunning && shown.elapsed !== null ? shown.elapsed + (now - this.#updatedAt) / 1000 : shown.elapsed
    const quietFor = isRunning && this.#movedAt !== null ? (now - this.#movedAt) / 1000 : null
    return viewOf({ ...shown, elapsed }, { quietFor, peak: null }, now, formatTime)
  }

  #event(name: string, data: unknown): void {
    const before = this.shown
    if (name === 'state') this.shown = afterState(before, this.#fresh(data as Snapshot))
    else if (name === 'progress') this.shown = afterProgress(before, data as Figures)
    else if (name === 'done' && !this.#isStale((data as Receipt).transferId)) {
      this.shown = afterDone(before, data as Receipt)
      this.options.done?.(data as Receipt)
    }
    this.#updatedAt = Date.now()
    const { bytes, state } = this.shown
    if (bytes > before.bytes || (state === 'streaming' && before.state !== 'streaming')) this.#movedAt = this.#updatedAt
    this.options.changed()
  }

  #fresh(snapshot: Snapshot): Snapshot {
    if (snapshot.state !== 'idle' && !this.#isStale(snapshot.transferId)) return snapshot
    const last = this.#isStale(snapshot.last?.transferId) ? null : snapshot.last
    return snapshot.state === 'idle' ? { ...snapshot, last } : EXPECTED
  }

  #isStale(transferId: string | null | undefined): boolean {
    return transferId != null && transferId === this.options.stale
  }
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

function formatTime(unixMs: number): string {
  return timeOfDay.format(unixMs)
}
