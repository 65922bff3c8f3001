import type { FailureRow } from '../../gateway/host/plugin-api.js'

export const FAILURES = {
  missing: {
    status: 403,
    message: 'This gateway asks for a certificate, and none was shown.',
    hint: 'Show one; with curl: --cert FILE --key FILE.',
  },
  unknown: {
    status: 403,
    message: 'The certificate of "{subject}" is good, and nothing is allowed to it.',
    hint: 'Ask the operator to add it, or show another one.',
  },
  noRight: {
    status: 403,
    message: 'Certificates of "{entry}" may not {right}: their rights are {found}.',
    hint: 'Show one that has the right "{right}".',
  },
  noName: {
    status: 403,
    message: 'Certificates of "{entry}" are not for this name.',
    hint: 'Use a name that fits {expected}, or another certificate.',
  },
  crossSite: {
    status: 403,
    message: "A page of another site used this browser's certificate for the gateway.",
    hint: 'Open the page from the gateway, or give it a token to send.',
  },
} as const satisfies Record<string, FailureRow>

export type FailureKey = keyof typeof FAILURES
