import type { FailureRow } from '../../gateway/host/plugin-api.js'

export const FAILURES = {
  tampered: {
    status: 403,
    message: 'The signature of this link is not one that this gateway gave out.',
    hint: 'Copy the whole link again, up to its last character, or ask for a new one.',
  },
  expired: {
    status: 403,
    message: 'This link expired at {found}.',
    hint: 'Ask for a new one.',
  },
  tooLong: {
    status: 403,
    message: 'This link is valid until {found}, and no link may be for more than {expected} seconds.',
    hint: 'Ask for one with a shorter time.',
  },
  otherName: {
    status: 403,
    message: 'This link is for another name.',
    hint: 'Use the address as it was given to you.',
  },
  otherRight: {
    status: 403,
    message: 'This link is made to {found}, not to {wanted}.',
    hint: 'Ask for a link that is made to {wanted}.',
  },
  sender: {
    status: 403,
    message: 'No link allows to send.',
    hint: 'Leave ?sig out, and authenticate with a token.',
  },
  linkFromLink: {
    status: 403,
    message: 'A link cannot make other links.',
    hint: 'Ask somebody who has a token.',
  },
  notNeeded: {
    status: 403,
    message: 'Nobody is refused here for want of a token, so that links would be of no use.',
    hint: 'Send the address itself.',
  },
  noRight: {
    status: 403,
    message: '"{found}" may not {wanted} here, and cannot make a link that may.',
    hint: 'Use a token with the right "{wanted}".',
  },
  badHost: {
    status: 400,
    message: 'This gateway does not know whether "{found}", where this request was sent, is a name of its own.',
    hint: 'Let the operator set publicUrl for this plugin, or the setting hosts.',
  },
} as const satisfies Record<string, FailureRow>

export type FailureKey = keyof typeof FAILURES
