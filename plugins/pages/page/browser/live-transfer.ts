/** What goes on at a name, as it is told by `?progress`, and how that looks. */
import { type ConnectionStatus, Follower } from '../../../page-kit/page/browser/follower.js'
import { afterDone, afterProgress, afterState } from '../../../page-kit/page/display-state.js'
import { iconOf } from '../../../page-kit/page/icon.js'
import { type DisplayState, type View, viewOf } from '../../../page-kit/page/view.js'
import { formatBytes } from '../../../transfer-status/format.js'
import { IDLE } from '../../../transfer-status/idle.js'
import type { Figures, Receipt, Snapshot } from '../../../transfer-status/snapshot.js'
import type { StatusText } from '../sender-status.js'
import { element, write } from './document.js'

/** Before anything has been told: somebody is expected to receive. */
export const NOTHING: Snapshot = { ...IDLE, totalReceivers: 1 }

export interface LiveTransferOptions {
  /** Of what is followed. */
  readonly url: string
  readonly headers: () => Readonly<Record<string, string>>
  /** A transfer that was over before, and is none of ours. */
  readonly stale?: string | null
  /** Something is different, or a second has passed. */
  changed(): void
  done?(receipt: Receipt): void
  /** The gateway would not tell. */
  refused?(status: number, why: string): void
}

export class LiveTransfer {
  shown: DisplayState = NOTHING
  /** Undefined before the first word. */
  link: ConnectionStatus | undefined
  #movedAt: number | null = null
  #toldAt = Date.now()
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
    const elapsed = isRunning && shown.elapsed !== null ? shown.elapsed + (now - this.#toldAt) / 1000 : shown.elapsed
    const quietFor = isRunning && this.#movedAt !== null ? (now - this.#movedAt) / 1000 : null
    return viewOf({ ...shown, elapsed }, { quietFor, peak: null }, now, clock)
  }

  #event(name: string, data: unknown): void {
    const before = this.shown
    if (name === 'state') this.shown = afterState(before, this.#fresh(data as Snapshot))
    else if (name === 'progress') this.shown = afterProgress(before, data as Figures)
    else if (name === 'done' && !this.#isStale((data as Receipt).transferId)) {
      this.shown = afterDone(before, data as Receipt)
      this.options.done?.(data as Receipt)
    }
    this.#toldAt = Date.now()
    const { bytes, state } = this.shown
    if (bytes > before.bytes || (state === 'streaming' && before.state !== 'streaming')) this.#movedAt = this.#toldAt
    this.options.changed()
  }

  #fresh(snapshot: Snapshot): Snapshot {
    if (snapshot.state !== 'idle' && !this.#isStale(snapshot.transferId)) return snapshot
    const last = this.#isStale(snapshot.last?.transferId) ? null : snapshot.last
    return snapshot.state === 'idle' ? { ...snapshot, last } : NOTHING
  }

  #isStale(transferId: string | null | undefined): boolean {
    return transferId != null && transferId === this.options.stale
  }
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

function clock(unixMs: number): string {
  return timeOfDay.format(unixMs)
}

/** `12.3 MB of 200 MB · 8.1 MB/s · 23 s left` */
export function detailsOf(
  { phase, fields }: View,
  { bytes, totalBytes, receivers, totalReceivers }: DisplayState,
): string {
  if (phase !== 'streaming' && phase !== 'stalled') return ''
  const amount = totalBytes === null ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
  const left = fields.leftNote.startsWith('about') ? `${fields.left} left` : ''
  const gone = totalReceivers - receivers
  const lost = gone > 0 ? `${gone} of ${totalReceivers} receivers left` : ''
  return [amount, fields.speed, left, lost].filter((each) => each !== '').join(' · ')
}

/** Shows a state in its card, in the tab and in the window's title. @param view null: nothing is known but what is told */
export function draw(
  { phase, headline, sentence }: StatusText,
  view: View | null,
  title: string,
  details: string,
): void {
  // What is told may know better than what was seen.
  const seen = view?.phase === phase ? view : null
  const share = seen !== null ? seen.share : phase === 'complete' ? 1 : 0
  const figure = seen?.fields.figure ?? ''
  element('main').dataset.phase = phase
  element('main').dataset.link = 'live'
  write('#headline', headline)
  write('#sentence', sentence)
  write('#figure', figure)
  write('#details', details)
  const isFlowing = phase === 'streaming' || phase === 'stalled'
  write('title', `${isFlowing && figure !== '' ? figure : headline} · ${title}`)
  const bar = element<HTMLProgressElement>('progress')
  bar.hidden = !isFlowing && phase !== 'complete'
  if (share === null) bar.removeAttribute('value')
  else bar.value = share
  const picture = iconOf(phase, share === null ? null : Math.floor(share * 100) / 100)
  const favicon = element<HTMLLinkElement>('#favicon')
  if (favicon.href !== picture) favicon.href = picture
}
