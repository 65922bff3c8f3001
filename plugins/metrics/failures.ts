import type { FailureRow } from '../../gateway/host/plugin-api.js'

export const METRICS_FAILURES = {
  unauthorized: {
    status: 401,
    message: 'The metrics need a token, and {found}.',
    hint: 'Send it as "Authorization: Bearer <token>"; the operator has it as config.token of the plugin metrics.',
  },
  unreadable: {
    status: 500,
    message: 'The metrics could not be collected.',
    hint: 'The gateway\'s log has the error as "metrics could not be collected"; please report it.',
  },
} as const satisfies Record<string, FailureRow>

export type MetricsFailure = keyof typeof METRICS_FAILURES
