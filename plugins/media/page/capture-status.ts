/** What the capture page tells. No DOM. */
import type { DisplayState } from '../../page-kit/page/display-state.js'
import { formatBytes, formatDuration, formatSpeed } from '../../transfer-status/format.js'
import type { StatusText } from './player-status.js'

export type CaptureState =
  /** Nothing is captured; or it is, and shown here only. */
  | { readonly kind: 'choosing' | 'asking' | 'preview' }
  /** The sender's place is taken, and receivers are missing. */
  | { readonly kind: 'waiting' }
  /** `isLater`: it is recorded here, and nothing has been sent. */
  | { readonly kind: 'on-air'; readonly isLater: boolean; readonly isLive: boolean }
  | { readonly kind: 'sending' }
  | { readonly kind: 'ended'; readonly isLater: boolean }
  | { readonly kind: 'failed'; readonly why: string }
  /** Not in this browser, or not at this address. */
  | { readonly kind: 'impossible'; readonly why: string }

/** What is counted while it runs. */
export interface Counted {
  readonly seconds: number
  readonly sent: number
  readonly queued: number
  /** Bytes per second, over the last seconds. */
  readonly speed: number
  /** Seconds that were left out, because the network was slower than the picture. */
  readonly leftOut: number
  /** The most viewers at a time, as far as that was seen. */
  readonly peak: number
}

/** @param shown of the name; null when nobody tells */
export function captureStatus(state: CaptureState, shown: DisplayState | null, counted: Counted): StatusText {
  switch (state.kind) {
    case 'choosing':
      return {
        phase: 'idle',
        headline: 'What to share',
        sentence: 'You see it here first. Nobody else does before you start.',
      }
    case 'asking':
      return { phase: 'waiting', headline: 'One moment', sentence: 'Your browser asks whether this page may have it.' }
    case 'preview':
      return {
        phase: 'idle',
        headline: 'Not shared yet',
        sentence: 'Only you have this. Start when it is as it should be.',
      }
    case 'waiting':
      return { phase: 'waiting', headline: 'Waiting', sentence: missing(shown) }
    case 'on-air':
      return state.isLater
        ? {
            phase: 'streaming',
            headline: 'Recording',
            sentence: 'It stays on this device until you stop, and is sent then.',
          }
        : { phase: 'streaming', headline: state.isLive ? 'Live' : 'On air', sentence: viewers(shown) }
    case 'sending':
      return { phase: 'streaming', headline: 'Sending', sentence: 'Keep this page open until everybody has it.' }
    case 'ended':
      return {
        phase: 'complete',
        headline: state.isLater ? 'Delivered' : 'Ended',
        sentence: summary(state.isLater, counted),
      }
    case 'impossible':
      return { phase: 'failed', headline: 'Not possible here', sentence: state.why }
    case 'failed':
      return { phase: 'failed', headline: 'Not shared any more', sentence: state.why }
  }
}

/** `12.3 MB · 310 kB/s`, and what is wrong with it. */
export function captureDetails({ sent, speed, leftOut }: Counted): string {
  const amount = sent === 0 ? '' : `${formatBytes(sent)} · ${formatSpeed(speed)}`
  if (leftOut < 0.5) return amount
  const lost = `${formatDuration(Math.round(leftOut))} left out: the network is slower than the picture. Choose a lower quality.`
  return amount === '' ? lost : `${amount} · ${lost}`
}

/** `0:07`, `12:34`, `1:02:03`. */
export function clock(seconds: number): string {
  const s = Math.floor(seconds)
  const parts = [Math.floor(s / 60) % 60, s % 60].map((each) => String(each).padStart(2, '0'))
  const hours = Math.floor(s / 3600)
  return hours > 0 ? [hours, ...parts].join(':') : parts.join(':').replace(/^0/, '')
}

function viewers(shown: DisplayState | null): string {
  if (shown === null) return 'It is on its way.'
  const { activeReceivers: count } = shown
  if (count === 0) return 'Nobody watches yet. Send somebody the link.'
  return count === 1 ? '1 viewer.' : `${count} viewers.`
}

function missing(shown: DisplayState | null): string {
  const start = 'It begins when'
  if (shown === null || shown.totalReceivers === null) return `${start} the receivers are there.`
  const left = shown.totalReceivers - shown.activeReceivers
  if (shown.totalReceivers <= 1) return `${start} the receiver is there. Send somebody the link.`
  return `${start} ${left === shown.totalReceivers ? `${left} receivers are` : `${left} more ${left === 1 ? 'is' : 'are'}`} there.`
}

function summary(isLater: boolean, { seconds, sent, peak }: Counted): string {
  const length = formatDuration(Math.floor(seconds))
  if (isLater) return `${length}, ${formatBytes(sent)}. Every receiver has all of it.`
  const company = peak === 0 ? '' : peak === 1 ? ' to 1 viewer' : ` to ${peak} viewers at a time`
  return `${length}, ${formatBytes(sent)}${company}.`
}
