/** What a page says about a name, as text: the same for the server, which draws it first, and for the script. No DOM. */
import { formatBytes, formatPercent, shareOf } from '../../transfer-status/format.js'
import type { DisplayState } from './display-state.js'
import { amounts, type FormatTime, past, receivers, since, speeds, times } from './figures.js'
import { isFlowing, isOver, type Observation, type Phase, phaseOf } from './phase.js'
import { sentenceOf, unbroken } from './sentence.js'

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
  | 'since'
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

/** @param now Unix time in milliseconds */
export function viewOf(shown: DisplayState, observed: Observation, now: number, formatTime: FormatTime): View {
  const phase = phaseOf(shown, observed)
  const share = barOf(phase, shown)
  return {
    phase,
    share,
    title: titleOf(phase, share, shown),
    fields: {
      headline: headlineOf(phase, shown),
      figure: figureOf(phase, share, shown),
      sentence: unbroken(sentenceOf(phase, shown, observed)),
      ...amounts(phase, shown),
      ...speeds(phase, shown, observed),
      ...times(phase, shown, now, formatTime),
      ...receivers(phase, shown),
      noLine: isOver(phase) ? 'The transfer was not watched, or too short.' : 'The line begins with the first byte.',
      ...since(phase, shown, formatTime),
      ...past(phase, shown, formatTime),
    },
  }
}

function headlineOf(phase: Phase, { ask, duplex }: DisplayState): string {
  if (phase !== 'streaming') return HEADLINES[phase]
  return ask ? 'Answering' : duplex ? 'Talking' : HEADLINES[phase]
}

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
