/** What the page tells a receiver. No DOM. */

import type { DisplayState } from '../../page-kit/page/display-state.js'
import type { View } from '../../page-kit/page/view.js'
import { formatReceipt, formatShare, formatWait } from '../../transfer-status/format.js'
import type { StatusText } from './sender-status.js'

/** What only the page knows. */
export interface Receiving {
  /** The reader has asked for the stream, and has not got all of it yet. */
  readonly asked: boolean
  /** Seconds for which it goes on waiting for a sender. */
  readonly left: number
}

export function receiverStatus({ phase, fields }: View, shown: DisplayState, receiving: Receiving): StatusText {
  const { asked } = receiving
  switch (phase) {
    case 'idle':
      return { phase: 'waiting', headline: 'Nobody is sending yet', sentence: idle(shown, receiving) }
    case 'waiting':
      return shown.hasSender ? { phase, ...ready(shown, asked) } : { phase, ...early(shown, receiving) }
    case 'streaming':
    case 'stalled': {
      const headline = phase === 'stalled' ? 'Stalled' : asked ? 'Receiving' : 'Streaming'
      const mine = phase === 'stalled' ? fields.sentence : 'It comes straight from its sender.'
      return { phase, headline, sentence: asked ? mine : `${fields.sentence} It has begun without you.` }
    }
    case 'complete':
      return {
        phase,
        headline: 'Complete',
        sentence: fields.sentence.replace(/^.* all of it: /, 'All of it has arrived: '),
      }
    case 'failed':
      return failedStatus(shown, asked)
  }
}

/** It broke off. It is not said of whom: the reader is the one who is left without it. */
export function failedStatus(shown: DisplayState, wasMine: boolean): StatusText {
  const { reason, bytes, totalBytes, message } = shown
  const at = formatShare(bytes, totalBytes)
  const how =
    reason === 'sender_left' || reason === 'wrong_length'
      ? `The sender left at ${at}.`
      : `${message ?? 'The transfer failed.'} It had come to ${at}.`
  const saved = wasMine ? ' What was saved is not complete.' : ''
  return { phase: 'failed', headline: 'Failed', sentence: `${how}${saved} Ask the sender to send it again.` }
}

/** The page has waited for as long as it was to. */
export function expiredStatus(): StatusText {
  return {
    phase: 'idle',
    headline: 'Nobody came',
    sentence: 'Nobody has sent anything under this name. Ask the sender.',
  }
}

function idle({ last }: DisplayState, { asked, left }: Receiving): string {
  const before = last === null ? '' : ` The last transfer here: ${formatReceipt(last)}.`
  const what = asked ? 'It begins when the sender is there.' : 'This page shows what comes when the sender is there.'
  return `${what} It waits for another ${formatWait(left)}.${before}`
}

function ready({ receivers, totalReceivers }: DisplayState, asked: boolean) {
  const missing = (totalReceivers ?? receivers) - receivers
  if (!asked) return { headline: 'Ready', sentence: 'The sender is waiting for you.' }
  const others = missing === 1 ? 'one more receiver' : `${missing} more receivers`
  return { headline: 'Waiting', sentence: missing > 0 ? `Waiting for ${others}.` : 'It is about to begin.' }
}

function early({ receivers, totalReceivers }: DisplayState, { asked, left }: Receiving) {
  if (asked || totalReceivers === null || receivers < totalReceivers) {
    return { headline: 'Waiting', sentence: `Waiting for the sender, for another ${formatWait(left)}.` }
  }
  return { headline: 'Taken', sentence: 'Somebody else is waiting here for the sender already.' }
}
