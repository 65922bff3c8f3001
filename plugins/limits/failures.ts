import type { FailureRow } from '../../gateway/host/plugin-api.js'

export const FAILURES = {
  requests: {
    status: 429,
    message: 'This {scope} has used up its {points} requests in {seconds} seconds.',
    hint: 'Try again in {retry} s.',
  },
  transfers: {
    status: 429,
    message: 'This {scope} has used up its {points} transfers in {seconds} seconds.',
    hint: 'Try again in {retry} s.',
  },
  pipes: {
    status: 429,
    message: 'This {scope} already has {most} senders and receivers that wait or stream.',
    hint: 'Try again when one of them is over.',
  },
  tooLarge: {
    status: 413,
    message: 'This body has {found} bytes, and a transfer of this {scope} may have {most}.',
    hint: 'Send it in smaller parts.',
  },
} as const satisfies Record<string, FailureRow>

export type FailureKey = keyof typeof FAILURES
