import type { FailureRow } from '../../gateway/host/plugin-api.js'

export const PROGRESS_FAILURES = {
  spectators: {
    status: 429,
    message: 'As many as allowed, {expected}, watch this name already.',
    hint: 'Try again when somebody has left, or ask now and then with ?status.',
  },
  names: {
    status: 429,
    message: 'As many names as allowed, {expected}, are watched already.',
    hint: 'Try again in a few seconds, or ask now and then with ?status.',
  },
  badId: {
    status: 400,
    message: 'The value of transfer is "{found}".',
    hint: 'It takes 16 to 64 letters, digits, "_" and "-".',
  },
  unknownTransfer: {
    status: 404,
    message: 'This name has no transfer with that id, or it was too long ago.',
    hint: 'Take the id from the header X-Pipe-Transfer-Id, and ask on the name that it was sent to.',
  },
} as const satisfies Record<string, FailureRow>

export type ProgressFailure = keyof typeof PROGRESS_FAILURES
