import type { FailureRow } from '../../gateway/host/plugin-api.js'

export const FAILURES = {
  missing: {
    status: 401,
    message: 'This gateway asks for a token.',
    hint: 'Send "Authorization: Bearer <token>"; with curl: -H "Authorization: Bearer <token>".',
  },
  unknown: {
    status: 401,
    message: 'This Authorization was not accepted.',
    hint: 'Write "Bearer", one space and the whole token; if that is so, ask the operator for a new token.',
  },
  repeated: {
    status: 400,
    message: 'This request has {found} Authorization headers.',
    hint: 'Send one.',
  },
  noRight: {
    status: 403,
    message: 'The token "{entry}" may not {right}: its rights are {found}.',
    hint: 'Use one that has the right "{right}".',
  },
  noName: {
    status: 403,
    message: 'The token "{entry}" is not for this name.',
    hint: 'Use a name that fits {expected}, or another token.',
  },
  crossSite: {
    status: 403,
    message: "A page of another site used this browser's password for the gateway.",
    hint: 'Let the page send "Authorization: Bearer <token>" itself.',
  },
} as const satisfies Record<string, FailureRow>

export type FailureKey = keyof typeof FAILURES
