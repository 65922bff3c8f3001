import { TokenProblem } from './failures.js'

/** Characters of a token. Longer ones cost time before anything about them is proved. */
export const MAX_TOKEN = 16 * 1024

/**
 * Takes the token out of an `Authorization` header. The scheme is case-insensitive (RFC 9110, section 11.1).
 *
 * @param authorization empty when there is none
 * @throws TokenProblem
 */
export function readBearer(authorization: string): string {
  if (authorization.length > MAX_TOKEN) throw new TokenProblem('tooLong', { most: MAX_TOKEN })
  const value = authorization.trim()
  const scheme = /^[^ ]*/.exec(value)![0]
  if (scheme.toLowerCase() !== 'bearer') throw new TokenProblem('missing')
  const token = value.slice(scheme.length).trim()
  if (token === '') throw new TokenProblem('missing')
  // Also what a proxy makes of two headers, `Bearer a, Bearer b`.
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new TokenProblem('malformed')
  return token
}
