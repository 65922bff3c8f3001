import type { FailureRow } from '../../gateway/host/plugin-api.js'

/** Every way in which a token is refused. No text has anything of the token in it, but for claims of one that is genuine. */
export const FAILURES = {
  missing: {
    status: 401,
    message: 'This needs a token, and the request has none.',
    hint: 'Send "Authorization: Bearer <JWT>".',
  },
  severalHeaders: {
    status: 400,
    message: 'The request has more than one Authorization header.',
    hint: 'Send one.',
  },
  malformed: {
    status: 401,
    message: 'The token is not a signed JWT.',
    hint: 'Send it as it was issued: three parts with dots between them.',
  },
  tooLong: {
    status: 401,
    message: 'The token is too long.',
    hint: 'It may have {most} characters: ask for one with fewer claims.',
  },
  algorithm: {
    status: 401,
    message: 'The token is signed with an algorithm that is not accepted here.',
    hint: 'Accepted: {accepted}.',
  },
  unknownKey: {
    status: 401,
    message: 'The token is signed with an unknown key.',
    hint: 'Ask for a new one from the issuer that this gateway trusts.',
  },
  ambiguousKey: {
    status: 401,
    message: 'The token does not say which key signed it, and several could have.',
    hint: 'The issuer has to put the "kid" of one key into its header.',
  },
  signature: {
    status: 401,
    message: 'The signature of the token is wrong.',
    hint: 'Ask for a new one, and send it unchanged.',
  },
  expired: {
    status: 401,
    message: 'The token has expired.',
    hint: 'Ask for a new one.',
  },
  tooOld: {
    status: 401,
    message: 'The token was issued too long ago.',
    hint: 'Ask for a new one: at most {most} seconds old.',
  },
  notYetValid: {
    status: 401,
    message: 'The token is not yet valid.',
    hint: 'Wait, or compare the clocks of the issuer and of the gateway.',
  },
  wrongIssuer: {
    status: 401,
    message: 'The token is from another issuer.',
    hint: 'Accepted: {accepted}.',
  },
  wrongAudience: {
    status: 401,
    message: 'The token is for another audience.',
    hint: 'Accepted: {accepted}.',
  },
  wrongType: {
    status: 401,
    message: 'The token is of another type.',
    hint: 'Accepted as "typ": {accepted}.',
  },
  badClaim: {
    status: 401,
    message: 'The claim "{claim}" of the token is {found}.',
    hint: 'The issuer has to set it.',
  },
  badIdentity: {
    status: 403,
    message: 'The claim "{claim}" of the token is {found}.',
    hint: 'Ask for a token where it is {expected}.',
  },
  noRight: {
    status: 403,
    message: 'The token lacks the right "{right}".',
    hint: '{remedy}',
  },
  noName: {
    status: 403,
    message: 'The token does not cover the name "{name}".',
    hint: 'It covers: {patterns}.',
  },
  noKeys: {
    status: 503,
    message: 'The token cannot be checked now: the keys of its issuer cannot be had.',
    hint: 'Try again in {seconds} seconds.',
  },
} as const satisfies Record<string, FailureRow>

export type FailureKey = keyof typeof FAILURES

/** Why a token is refused. */
export class TokenProblem extends Error {
  constructor(
    readonly key: FailureKey,
    readonly values: Readonly<Record<string, string | number>> = {},
  ) {
    super(key)
  }
}
