/** The sentence that says what a name is doing. No DOM. */
import { formatDuration, formatReceipt } from '../../transfer-status/format.js'
import type { Receipt } from '../../transfer-status/snapshot.js'
import type { DisplayState } from './display-state.js'
import type { Observation, Phase } from './phase.js'

export function sentenceOf(phase: Phase, shown: DisplayState, { quietFor }: Observation): string {
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

/** With a number and its unit on one line. */
export function unbroken(text: string): string {
  return text.replace(/(\d) (?=[a-zA-Z])/g, '$1\u00a0')
}

function waitingFor({ hasSender, receivers, totalReceivers }: DisplayState): string {
  if (totalReceivers === null) return hasSender ? 'Waiting for viewers.' : 'Waiting for the sender.'
  const missing = Math.max(0, totalReceivers - receivers)
  const more = receivers > 0 && missing > 0 ? `${missing} more receiver${missing === 1 ? '' : 's'}` : count(missing)
  if (hasSender) return missing > 0 ? `Waiting for ${more}.` : 'Everybody is here; it is about to begin.'
  return missing > 0 ? `Waiting for the sender and ${more}.` : 'Waiting for the sender.'
}

function count(receivers: number): string {
  return receivers === 1 ? '1 receiver' : `${receivers} receivers`
}
