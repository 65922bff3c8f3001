import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Config } from './config.js'
import { TokenProblem } from './failures.js'
import type { Keys } from './keys/keys.js'

/** @throws TokenProblem, KeysUnavailable */
export type Verify = (token: string, signal: AbortSignal) => Promise<JWTPayload>

/** Makes what checks signature, times, issuer and audience of a token, and gives back its claims. */
export function verifier(config: Config, keys: Keys): Verify {
  const { issuer, audience, maxTokenAge, type } = config
  const options: JWTVerifyOptions = {
    algorithms: [...keys.algorithms],
    clockTolerance: config.leeway,
    // A token without an end would be one for ever.
    requiredClaims: maxTokenAge === undefined ? ['exp'] : [],
    ...(issuer && { issuer }),
    ...(audience && { audience }),
    ...(maxTokenAge && { maxTokenAge }),
    ...(type && { typ: type }),
  }
  return async (token, signal) => {
    try {
      const { payload } = await jwtVerify(token, (header, jws) => keys.find(header, jws, signal), options)
      return payload
    } catch (error) {
      throw problemOf(error, config, keys) ?? error
    }
  }
}

/** What jose found, in own words: its errors carry the claims. Undefined for what it does not find in tokens. */
function problemOf(error: unknown, config: Config, keys: Keys): TokenProblem | undefined {
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new TokenProblem('algorithm', { accepted: keys.algorithms.join(', ') })
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenProblem('signature')
  if (error instanceof errors.JWTExpired) {
    return error.claim === 'iat'
      ? new TokenProblem('tooOld', { most: config.maxTokenAge! })
      : new TokenProblem('expired')
  }
  if (error instanceof errors.JWTClaimValidationFailed) return claimProblem(error, config)
  // What is left is about the token's form: JWSInvalid, JWTInvalid, JOSENotSupported for an unknown `crit`.
  return error instanceof errors.JOSEError ? new TokenProblem('malformed') : undefined
}

function claimProblem({ claim, reason }: errors.JWTClaimValidationFailed, config: Config): TokenProblem {
  if (claim === 'typ') return new TokenProblem('wrongType', { accepted: config.type! })
  if (reason === 'missing') return new TokenProblem('badClaim', { claim, found: 'missing' })
  if (reason === 'invalid') return new TokenProblem('badClaim', { claim, found: 'not a number' })
  if (claim === 'iss') return new TokenProblem('wrongIssuer', { accepted: config.issuer!.join(', ') })
  if (claim === 'aud') return new TokenProblem('wrongAudience', { accepted: config.audience!.join(', ') })
  return new TokenProblem('notYetValid')
}
