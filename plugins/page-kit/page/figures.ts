/** The figures of a name, as text: amounts, speeds, times, receivers, and the transfer before. No DOM. */
import { webSocketsInWords } from '../../transfer-status/duplex-figures.js'
import { formatBytes, formatDuration, formatSpeed, hasSpeed } from '../../transfer-status/format.js'
import type { DisplayState } from './display-state.js'
import { isFlowing, isOver, type Observation, type Phase } from './phase.js'
import { receiptText, unbroken } from './sentence.js'

/** Shows a Unix time in milliseconds as a time of day, with the day if it is not today. */
export type FormatTime = (unixMs: number) => string

/** Stands where there is no figure. */
export const UNKNOWN = '–'

export function amounts(phase: Phase, { bytes, totalBytes, hasSender, saidBytes }: DisplayState) {
  if (phase === 'idle' || phase === 'waiting')
    return { bytes: UNKNOWN, bytesNote: hasSender ? totalOf(totalBytes) : '' }
  if (saidBytes !== undefined) return { bytes: formatBytes(bytes), bytesNote: 'in both directions' }
  return { bytes: formatBytes(bytes), bytesNote: isOver(phase) && totalBytes === bytes ? '' : totalOf(totalBytes) }
}

function totalOf(totalBytes: number | null): string {
  return totalBytes === null ? 'total unknown' : `of ${formatBytes(totalBytes)}`
}

export function speeds(phase: Phase, { speed, avgSpeed, elapsed }: DisplayState, { peak }: Observation) {
  const over = isOver(phase)
  const now = phase === 'stalled' ? 0 : speed
  const isKnown = hasSpeed({ duration: elapsed ?? 0, avgSpeed: 0 })
  const orUnknown = (value: number | null) => (value === null || !isKnown ? UNKNOWN : formatSpeed(value))
  return {
    speedLabel: over ? 'Peak speed' : 'Speed now',
    speed: over ? orUnknown(peak) : isFlowing(phase) ? orUnknown(now) : UNKNOWN,
    speedNote: isFlowing(phase) && peak !== null ? `peak ${formatSpeed(peak)}` : '',
    average: over || isFlowing(phase) ? orUnknown(avgSpeed) : UNKNOWN,
  }
}

export function times(
  phase: Phase,
  { eta, elapsed, startedAt, totalBytes, transferId, last }: DisplayState,
  now: number,
  formatTime: FormatTime,
) {
  const over = isOver(phase)
  const since = startedAt === null ? '' : `since ${formatTime(startedAt)}`
  const spent = {
    elapsedLabel: over ? 'Duration' : 'Elapsed',
    // What is over has its tenths; what runs would flicker.
    elapsed: elapsed === null ? UNKNOWN : formatDuration(over ? elapsed : Math.floor(elapsed)),
    elapsedNote: over && startedAt !== null ? `began ${formatTime(startedAt)}` : since,
  }
  if (over) {
    const endedAt = last?.transferId === transferId ? formatTime(last!.endedAt) : UNKNOWN
    return { leftLabel: 'Ended', left: endedAt, leftNote: '', ...spent }
  }
  const leftLabel = 'Time left'
  if (phase === 'streaming' && eta !== null) {
    const left = Math.ceil(eta)
    return { leftLabel, left: formatDuration(left), leftNote: `about ${formatTime(now + left * 1000)}`, ...spent }
  }
  const left = isFlowing(phase) ? 'unknown' : UNKNOWN
  const leftNote = !isFlowing(phase)
    ? ''
    : phase === 'stalled'
      ? 'while it stands still'
      : totalBytes === null
        ? 'no total'
        : ''
  return { leftLabel, left, leftNote, ...spent }
}

/** Since when somebody waits. */
export function since(phase: Phase, { waitingSince }: DisplayState, formatTime: FormatTime) {
  return { since: phase === 'waiting' && waitingSince !== null ? `Since ${formatTime(waitingSince)}.` : '' }
}

export function receivers(phase: Phase, { receivers: here, totalReceivers, peak = here, ...shown }: DisplayState) {
  if (shown.duplex) return { receivers: `${shown.peers ?? 0} here`, receiversNote: webSocketsInWords(shown) }
  if (shown.queue || shown.ask) return { receivers: `${here} here`, receiversNote: '' }
  if (totalReceivers === null) {
    return { receivers: `${here} watching`, receiversNote: peak > here ? `${peak} at most` : '' }
  }
  const gone = totalReceivers - here
  return {
    receivers: phase === 'idle' ? UNKNOWN : `${here} of ${totalReceivers}`,
    receiversNote: gone <= 0 || phase === 'idle' ? '' : phase === 'waiting' ? `${gone} missing` : `${gone} left early`,
  }
}

export function past(phase: Phase, { last, sha256 }: DisplayState, formatTime: FormatTime) {
  const digest = phase === 'idle' ? last?.sha256 : sha256
  return {
    last: phase === 'idle' && last !== null ? unbroken(receiptText(last)) : '',
    lastNote: phase === 'idle' && last !== null ? `Ended ${formatTime(last.endedAt)}.` : '',
    digest: digest ?? '',
  }
}
