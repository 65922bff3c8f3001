/** The sentence that says what a name is doing. No DOM. */

import { askInWords } from '../../transfer-status/ask-figures.js'
import { duplexInWords } from '../../transfer-status/duplex-figures.js'
import { formatBytes, formatDuration, formatShare, formatSpeed, hasSpeed } from '../../transfer-status/format.js'
import { queueInWords } from '../../transfer-status/queue-figures.js'
import type { Receipt } from '../../transfer-status/snapshot.js'
import type { DisplayState } from './display-state.js'
import { isDraining, type Observation, type Phase } from './phase.js'

export function sentenceOf(phase: Phase, shown: DisplayState, observed: Observation): string {
  if (shown.topic) return topicText(shown)
  const { quietFor } = observed
  const ask = askInWords(shown)
  if (ask !== undefined) return `Questions: ${ask}.`
  const queue = queueInWords(shown)
  if (queue !== undefined) return `A queue: ${queue}.`
  const duplex = duplexInWords(shown)
  if (duplex !== undefined) return `Both ways: ${duplex}.`
  switch (phase) {
    case 'idle':
      return shown.lost
        ? 'The server no longer knows the transfer that was shown here.'
        : 'Nobody is sending or receiving here.'
    case 'waiting':
      return waitingFor(shown)
    case 'streaming':
      return isDraining(shown, observed)
        ? `${slowest(shown)} reads what it has got already: the rest is on its way.`
        : `Streaming to ${count(shown.receivers)}.`
    case 'stalled':
      return stalled(shown, quietFor)
    case 'complete':
      return completeText(shown)
    default:
      return failedText(shown)
  }
}

/** What became of a transfer. */
export function receiptText(receipt: Receipt): string {
  if (receipt.topic) return topicText(receipt)
  return receipt.state === 'complete' ? completeText({ ...receipt, elapsed: receipt.duration }) : failedText(receipt)
}

/** `3 subscribers; 12 messages so far.` */
function topicText({
  state,
  subscribers = 0,
  peak = 0,
  messages = 0,
}: Pick<Receipt, 'subscribers' | 'peak' | 'messages'> & { readonly state: DisplayState['state'] }): string {
  const those = (count: number) => `${count} subscriber${count === 1 ? '' : 's'}`
  const said = `${messages} message${messages === 1 ? '' : 's'}`
  if (state === 'waiting') return 'Waiting for subscribers.'
  return state === 'streaming'
    ? `${those(subscribers)}; ${said} so far.`
    : `It is over: ${said}, ${those(peak)} at most.`
}

type Ended = Pick<DisplayState, 'bytes' | 'elapsed' | 'avgSpeed' | 'receivers' | 'totalReceivers'>

/** `All 2 receivers have all of it: 7.6 GB in 8 h 2 m, 283 kB/s on average.` */
function completeText(shown: Ended): string {
  const { bytes, elapsed, avgSpeed, receivers, totalReceivers } = shown
  const duration = elapsed ?? 0
  const who =
    totalReceivers === 1
      ? 'The receiver has'
      : receivers === totalReceivers
        ? `All ${receivers} receivers have`
        : `${receivers} of ${totalReceivers} receivers have`
  const speed = hasSpeed({ duration, avgSpeed }) ? `, ${formatSpeed(avgSpeed!)} on average` : ''
  return `${who} all of it: ${formatBytes(bytes)} in ${formatDuration(duration)}${speed}.`
}

type Failed = Pick<DisplayState, 'reason' | 'message' | 'bytes' | 'totalBytes' | 'startedAt'>

/** How far it came, and what to do. */
export function failedText({ reason, message, bytes, totalBytes, startedAt }: Failed): string {
  const at = formatShare(bytes, totalBytes)
  switch (reason) {
    case 'sender_left':
    case 'wrong_length':
      return `The sender left at ${at}. Ask for it again.`
    case 'receivers_left':
      return `Every receiver left, the last one at ${at}. It has to be sent again.`
    case 'receivers_stalled':
      return `The receivers took nothing any more at ${at}. It has to be sent again.`
    case 'no_receivers':
      return 'Nobody came to receive it. Send it again when somebody is there.'
    default: {
      const why = message ?? `It failed: ${reason?.replaceAll('_', ' ') ?? 'nobody knows why'}.`
      return startedAt === null ? why : `${why} It had come to ${at}.`
    }
  }
}

function stalled(shown: DisplayState, quietFor: number | null): string {
  if (quietFor === null) return 'Nothing moves at the moment.'
  const time = formatDuration(Math.floor(quietFor))
  return shown.inFlight > 0
    ? `${slowest(shown)} has taken nothing for ${time}.`
    : `The sender has sent nothing for ${time}.`
}

const slowest = ({ totalReceivers }: DisplayState) => (totalReceivers === 1 ? 'The receiver' : 'The slowest receiver')

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
