/** What the page tells a sender, from its own response and from `?progress`. No DOM. */

import type { DisplayState } from '../../page-kit/page/display-state.js'
import type { View } from '../../page-kit/page/view.js'
import { formatReceipt } from '../../transfer-status/format.js'
import type { Receipt } from '../../transfer-status/snapshot.js'

/** How it ended. `refused`: it never began. */
export type Outcome =
  | { readonly kind: 'delivered' | 'cancelled' }
  | { readonly kind: 'failed' | 'refused'; readonly why: string; readonly status?: number }

/** The outcome that the sender's response tells. @param status 0 when there was none @param text its body, as far as it came */
export function outcomeOf(status: number, text: string): Outcome | undefined {
  const error = /^\[ERROR\] (.*)/m.exec(text)?.[1]
  if (status >= 300) return { kind: 'refused', why: error ?? `The server answered ${status}.`, status }
  if (error !== undefined) return { kind: 'failed', why: error.replace(/^Transfer failed: /, '') }
  return /^\[INFO\] Transfer complete\.$/m.test(text) ? { kind: 'delivered' } : undefined
}

/** The outcome that a receipt tells. */
export function outcomeOfReceipt({ state, message }: Receipt): Outcome {
  return state === 'complete' ? { kind: 'delivered' } : { kind: 'failed', why: message ?? 'The transfer failed.' }
}

/** A headline and a sentence, and the phase whose colour they have. */
export interface StatusText {
  readonly phase: View['phase']
  readonly headline: string
  readonly sentence: string
}

/** While it runs. */
export function senderStatus(
  { phase, fields }: View,
  { receivers, totalReceivers, hasSender, looks }: DisplayState,
): StatusText {
  switch (phase) {
    case 'waiting':
      return {
        phase,
        headline: 'Waiting',
        sentence: `${waiting((totalReceivers ?? receivers) - receivers, receivers > 0)}${looked(looks)}`,
      }
    case 'streaming':
    case 'stalled':
      return { phase, headline: phase === 'stalled' ? 'Stalled' : 'Sending', sentence: fields.sentence }
    default:
      return { phase: 'waiting', headline: 'Waiting', sentence: hasSender ? fields.sentence : 'Reaching the gateway…' }
  }
}

function waiting(missing: number, some: boolean): string {
  if (missing <= 0) return 'Everybody is here; it is about to begin.'
  const who = some
    ? `${missing} more receiver${missing === 1 ? '' : 's'}`
    : missing === 1
      ? 'the receiver'
      : `${missing} receivers`
  return `Waiting for ${who}. Nothing is stored: keep this page open.`
}

function looked(looks: number): string {
  if (looks === 0) return ''
  return ` The link has been looked at ${looks === 1 ? 'once' : `${looks} times`}; nothing was taken.`
}

/** At the end. @param receipt when there is one */
export function finalStatus(outcome: Outcome, receipt: Receipt | null): StatusText {
  switch (outcome.kind) {
    case 'delivered':
      return { phase: 'complete', headline: 'Delivered', sentence: delivered(receipt) }
    case 'cancelled':
      return {
        phase: 'failed',
        headline: 'Cancelled',
        sentence: 'You stopped it. Whoever was receiving has been told.',
      }
    case 'refused':
      return { phase: 'failed', headline: 'Not sent', sentence: outcome.why }
    default:
      return { phase: 'failed', headline: 'Not delivered', sentence: outcome.why }
  }
}

function delivered(receipt: Receipt | null): string {
  if (receipt === null) return 'Every receiver has all of it.'
  const gone = (receipt.totalReceivers ?? receipt.receivers) - receipt.receivers
  const left = gone > 0 ? ` ${gone} of ${receipt.totalReceivers} receivers left before the end.` : ''
  return `${formatReceipt(receipt).replace(/^complete: /, '')}.${left}`
}
