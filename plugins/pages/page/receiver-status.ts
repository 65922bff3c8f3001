/** What the page tells a receiver. No DOM. */

import type { DisplayState } from '../../page-kit/page/display-state.js'
import type { View } from '../../page-kit/page/view.js'
import { formatReceipt } from '../../transfer-status/format.js'
import type { StatusText } from './sender-status.js'

/** @param asked the reader has asked for the stream, and has not got all of it yet */
export function receiverStatus({ phase, fields }: View, shown: DisplayState, asked: boolean): StatusText {
  switch (phase) {
    case 'idle':
      return { phase, headline: 'Nothing here yet', sentence: idle(shown) }
    case 'waiting':
      return shown.hasSender ? { phase, ...ready(shown, asked) } : { phase, ...early(shown, asked) }
    case 'streaming':
    case 'stalled': {
      const headline = phase === 'stalled' ? 'Stalled' : asked ? 'Receiving' : 'Streaming'
      return { phase, headline, sentence: asked ? fields.sentence : `${fields.sentence} It has begun without you.` }
    }
    case 'complete':
      return { phase, headline: 'Complete', sentence: fields.sentence.replace(/^complete: /, '') }
    case 'failed':
      return { phase, headline: 'Failed', sentence: `${failed(fields.sentence)} What was saved is not complete.` }
  }
}

function idle({ last }: DisplayState): string {
  const before = last === null ? '' : ` The last transfer here: ${formatReceipt(last)}.`
  return `Nobody is sending under this name.${before} You may ask for it now: it begins when the sender comes.`
}

function ready({ receivers, totalReceivers }: DisplayState, asked: boolean) {
  const missing = (totalReceivers ?? receivers) - receivers
  if (!asked) return { headline: 'Ready', sentence: 'The sender is waiting for you.' }
  const others = missing === 1 ? 'one more receiver' : `${missing} more receivers`
  return { headline: 'Waiting', sentence: missing > 0 ? `Waiting for ${others}.` : 'It is about to begin.' }
}

function early({ receivers, totalReceivers }: DisplayState, asked: boolean) {
  if (asked || totalReceivers === null || receivers < totalReceivers)
    return { headline: 'Waiting', sentence: 'Waiting for the sender.' }
  return { headline: 'Taken', sentence: 'Somebody else is waiting here for the sender already.' }
}

function failed(line: string): string {
  const text = line.replace(/^failed: /, '')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
