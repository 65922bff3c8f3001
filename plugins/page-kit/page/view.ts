/** What the page says about a name, as text: the same for the server, which draws it first, and for the script. No DOM. */
import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatReceipt,
  formatSpeed,
  shareOf,
} from '../../transfer-status/format.js'
import type { Receipt, Snapshot } from '../../transfer-status/snapshot.js'

/** What a reader is told, which is a state of the name, or that its stream stands still. */
export type Phase = Snapshot['state'] | 'stalled'

/** A snapshot with what somebody knows who has seen the one before it. */
export interface DisplayState extends Snapshot {
  /** The server does not know the transfer any more that was shown before. */
  readonly lost?: true
}

/** What only somebody who has watched for a while can say. */
export interface Observation {
  /** Seconds since bytes moved last, null when that was not seen. */
  readonly quietFor: number | null
  /** Bytes per second. */
  readonly peak: number | null
}

export const NO_OBSERVATION: Observation = { quietFor: null, peak: null }

/** Nothing for so many seconds is a stall. Less is how many streams are. */
const STALL_SEC = 5

/** Tells a Unix time in milliseconds as a time of day, with the day if it is not today. */
export type Clock = (unixMs: number) => string

/** The texts of the page, each in an element of its own (`data-field`). */
export type Field =
  | 'headline'
  | 'figure'
  | 'sentence'
  | 'bytes'
  | 'bytesNote'
  | 'speedLabel'
  | 'speed'
  | 'speedNote'
  | 'average'
  | 'leftLabel'
  | 'left'
  | 'leftNote'
  | 'elapsedLabel'
  | 'elapsed'
  | 'elapsedNote'
  | 'receivers'
  | 'receiversNote'
  | 'noLine'
  | 'last'
  | 'lastNote'
  | 'digest'

export interface View {
  readonly phase: Phase
  /** How full the bar is, 0 to 1; null when nobody can know. */
  readonly share: number | null
  readonly fields: Readonly<Record<Field, string>>
  /** Of the window or tab, without the name. */
  readonly title: string
}

const HEADLINES: Readonly<Record<Phase, string>> = {
  idle: 'Idle',
  waiting: 'Waiting',
  streaming: 'Streaming',
  stalled: 'Stalled',
  complete: 'Complete',
  failed: 'Failed',
}

const UNKNOWN = '–'

/** @param now Unix time in milliseconds */
export function viewOf(shown: DisplayState, watched: Observation, now: number, clock: Clock): View {
  const phase = phaseOf(shown, watched)
  const share = barOf(phase, shown)
  return {
    phase,
    share,
    title: titleOf(phase, share, shown),
    fields: {
      headline: HEADLINES[phase],
      figure: figureOf(phase, share, shown),
      sentence: unbroken(sentenceOf(phase, shown, watched)),
      ...amounts(phase, shown),
      ...speeds(phase, shown, watched),
      ...times(phase, shown, now, clock),
      ...receivers(phase, shown),
      noLine: isOver(phase) ? 'The transfer was not watched, or too short.' : 'The line begins with the first byte.',
      ...past(phase, shown, clock),
    },
  }
}

function phaseOf(shown: DisplayState, { quietFor }: Observation): Phase {
  if (shown.state !== 'streaming') return shown.state
  const isStill = quietFor === null ? shown.speed === 0 : quietFor >= STALL_SEC
  return isStill ? 'stalled' : 'streaming'
}

export const isOver = (phase: Phase): boolean => phase === 'complete' || phase === 'failed'
export const isFlowing = (phase: Phase): boolean => phase === 'streaming' || phase === 'stalled'

function barOf(phase: Phase, { bytes, totalBytes }: DisplayState): number | null {
  if (phase === 'complete') return 1
  return isFlowing(phase) ? shareOf(bytes, totalBytes) : (shareOf(bytes, totalBytes) ?? 0)
}

/** The large figure: how much of it, or how much. */
function figureOf(phase: Phase, share: number | null, { bytes, totalBytes }: DisplayState): string {
  if (phase === 'idle' || phase === 'waiting') return ''
  if (phase === 'complete') return '100 %'
  const known = shareOf(bytes, totalBytes) !== null
  return known && share !== null ? formatPercent(share, 1) : formatBytes(bytes)
}

function titleOf(phase: Phase, share: number | null, shown: DisplayState): string {
  if (phase === 'complete') return '✓ complete'
  if (phase === 'failed') return '✗ failed'
  if (!isFlowing(phase)) return phase
  const figure = share === null ? formatBytes(shown.bytes) : formatPercent(share)
  return phase === 'stalled' ? `stalled ${figure}` : figure
}

function sentenceOf(phase: Phase, shown: DisplayState, { quietFor }: Observation): string {
  switch (phase) {
    case 'idle':
      return shown.lost
        ? 'The server no longer knows the transfer that was shown here.'
        : 'Nobody is sending or receiving here.'
    case 'waiting':
      return waitingFor(shown)
    case 'streaming':
      return `Streaming to ${count(shown.receivers)}.`
    case 'stalled':
      return quietFor === null
        ? 'Nothing moves at the moment.'
        : `Nothing has moved for ${formatDuration(Math.floor(quietFor))}.`
    default:
      return formatReceipt({ ...shown, state: shown.state as Receipt['state'], duration: shown.elapsed ?? 0 })
  }
}

/** A number and its unit stay on one line. */
function unbroken(text: string): string {
  return text.replace(/(\d) (?=[a-zA-Z])/g, '$1\u00a0')
}

function waitingFor({ hasSender, receivers, totalReceivers }: DisplayState): string {
  const missing = Math.max(0, totalReceivers - receivers)
  const more = receivers > 0 && missing > 0 ? `${missing} more receiver${missing === 1 ? '' : 's'}` : count(missing)
  if (hasSender) return missing > 0 ? `Waiting for ${more}.` : 'Everybody is here; it is about to begin.'
  return missing > 0 ? `Waiting for the sender and ${more}.` : 'Waiting for the sender.'
}

function count(receivers: number): string {
  return receivers === 1 ? '1 receiver' : `${receivers} receivers`
}

function amounts(phase: Phase, { bytes, totalBytes, hasSender }: DisplayState) {
  if (phase === 'idle' || phase === 'waiting')
    return { bytes: UNKNOWN, bytesNote: hasSender ? totalOf(totalBytes) : '' }
  return { bytes: formatBytes(bytes), bytesNote: isOver(phase) && totalBytes === bytes ? '' : totalOf(totalBytes) }
}

function totalOf(totalBytes: number | null): string {
  return totalBytes === null ? 'total unknown' : `of ${formatBytes(totalBytes)}`
}

function speeds(phase: Phase, { speed, avgSpeed }: DisplayState, { peak }: Observation) {
  const over = isOver(phase)
  const now = phase === 'stalled' ? 0 : speed
  const told = (value: number | null) => (value === null ? UNKNOWN : formatSpeed(value))
  return {
    speedLabel: over ? 'Peak speed' : 'Speed now',
    speed: over ? told(peak) : isFlowing(phase) ? told(now) : UNKNOWN,
    speedNote: isFlowing(phase) && peak !== null ? `peak ${formatSpeed(peak)}` : '',
    average: over || isFlowing(phase) ? told(avgSpeed) : UNKNOWN,
  }
}

function times(
  phase: Phase,
  { eta, elapsed, startedAt, totalBytes, transferId, last }: DisplayState,
  now: number,
  clock: Clock,
) {
  const over = isOver(phase)
  const since = startedAt === null ? '' : `since ${clock(startedAt)}`
  const spent = {
    elapsedLabel: over ? 'Duration' : 'Elapsed',
    // What is over has its tenths; what runs would flicker.
    elapsed: elapsed === null ? UNKNOWN : formatDuration(over ? elapsed : Math.floor(elapsed)),
    elapsedNote: over && startedAt !== null ? `began ${clock(startedAt)}` : since,
  }
  if (over) {
    const endedAt = last?.transferId === transferId ? clock(last!.endedAt) : UNKNOWN
    return { leftLabel: 'Ended', left: endedAt, leftNote: '', ...spent }
  }
  const leftLabel = 'Time left'
  if (phase === 'streaming' && eta !== null) {
    const left = Math.ceil(eta)
    return { leftLabel, left: formatDuration(left), leftNote: `about ${clock(now + left * 1000)}`, ...spent }
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

function receivers(phase: Phase, { receivers: here, totalReceivers }: DisplayState) {
  const gone = totalReceivers - here
  return {
    receivers: phase === 'idle' ? UNKNOWN : `${here} of ${totalReceivers}`,
    receiversNote: gone <= 0 || phase === 'idle' ? '' : phase === 'waiting' ? `${gone} missing` : `${gone} left early`,
  }
}

function past(phase: Phase, { last, sha256 }: DisplayState, clock: Clock) {
  const digest = phase === 'idle' ? last?.sha256 : sha256
  return {
    last: phase === 'idle' && last !== null ? unbroken(formatReceipt(last)) : '',
    lastNote: phase === 'idle' && last !== null ? `Ended ${clock(last.endedAt)}.` : '',
    digest: digest ?? '',
  }
}
