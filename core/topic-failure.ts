import type { Failure } from './failure.js'

/** Why a topic refuses a subscriber, or a message. */
export const TOPIC_FAILURES = {
  subscribersFull: {
    code: 'SUBSCRIBERS_FULL',
    status: 429,
    message: 'All {expected} places for subscribers of this topic are taken.',
    hint: 'Try again when somebody has left.',
  },
  tooManyTopics: {
    code: 'TOO_MANY_TOPICS',
    status: 429,
    message: 'All {expected} places for topics are taken.',
    hint: 'Try again when one of them has ended.',
  },
  heldTooLong: {
    code: 'HELD_TOO_LONG',
    status: 504,
    message: 'A subscriber has not taken what came before, and nobody has got this message.',
    hint: 'Send it again, or with slow=cut, which cuts those who are behind.',
  },
} as const satisfies Record<string, Failure>
