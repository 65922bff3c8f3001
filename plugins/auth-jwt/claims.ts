import type { JWTPayload } from 'jose'
import { type Identity, NamePattern, type Right, show } from '../../gateway/host/plugin-api.js'
import type { Config } from './config.js'
import { TokenProblem } from './failures.js'

const MAX_PROJECT = 128
const MAX_SUBJECT = 256

/** What the claims of a genuine token mean here. */
export interface Grant {
  readonly identity: Identity
  /** Undefined: every name. */
  readonly names: readonly NamePattern[] | undefined
}

/** @throws TokenProblem with a 403 */
export function readClaims(claims: JWTPayload, config: Config): Grant {
  return {
    identity: { project: project(claims, config), subject: subject(claims, config), rights: rights(claims, config) },
    names: names(claims, config),
  }
}

function project(claims: JWTPayload, { projectClaim, defaultProject }: Config): string {
  const value = claimAt(claims, projectClaim)
  if (value === undefined) return defaultProject
  const expected = `a string of 1 to ${MAX_PROJECT} characters without spaces and control characters`
  if (typeof value !== 'string') throw bad(projectClaim, 'not a string', expected)
  // An empty one would stand for the namespace that everybody shares.
  if (value === '') throw bad(projectClaim, 'empty', expected)
  if (value.length > MAX_PROJECT) throw bad(projectClaim, 'too long', expected)
  if (/[\s\p{Cc}\p{Cs}]/u.test(value)) throw bad(projectClaim, 'a string with spaces or control characters', expected)
  return value
}

function subject(claims: JWTPayload, { subjectClaim }: Config): string {
  const value = claimAt(claims, subjectClaim) ?? ''
  const expected = `a string of at most ${MAX_SUBJECT} characters without control characters`
  if (typeof value !== 'string') throw bad(subjectClaim, 'not a string', expected)
  if (value.length > MAX_SUBJECT) throw bad(subjectClaim, 'too long', expected)
  if (/\p{Cc}/u.test(value)) throw bad(subjectClaim, 'a string with control characters', expected)
  return value
}

function rights(claims: JWTPayload, config: Config): ReadonlySet<Right> {
  const { rightsClaim, defaultRights } = config
  // With a claim to look for, a token without it has asked for nothing.
  if (rightsClaim === undefined) return new Set(defaultRights ?? (['send', 'receive', 'watch'] as const))
  const words = wordsAt(claims, rightsClaim)
  if (words === undefined) return new Set(defaultRights)
  const granted = (Object.keys(config.rights) as Right[]).filter((right) =>
    config.rights[right].some((scope) => words.includes(scope)),
  )
  return new Set(granted)
}

function names(claims: JWTPayload, { namesClaim, defaultNames }: Config): readonly NamePattern[] | undefined {
  if (namesClaim === undefined) return undefined
  const patterns = wordsAt(claims, namesClaim) ?? defaultNames
  if (patterns === undefined) throw bad(namesClaim, 'missing', 'an array of patterns such as "logs/*"')
  return patterns.map((each) => new NamePattern(each))
}

/** A claim of several words: one string with spaces between them, or an array of strings. */
function wordsAt(claims: JWTPayload, claim: string): readonly string[] | undefined {
  const value = claimAt(claims, claim)
  if (value === undefined) return undefined
  if (typeof value === 'string') return value.split(' ').filter((word) => word !== '')
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  throw bad(claim, 'of another type', 'a string of words, or an array of strings')
}

/** A claim of this very name, or else the one inside others that the dots lead to: `realm_access.roles`. */
function claimAt(claims: object, claim: string): unknown {
  const own = (from: unknown, key: string): unknown =>
    typeof from === 'object' && from !== null && Object.hasOwn(from, key)
      ? (from as Record<string, unknown>)[key]
      : undefined
  return Object.hasOwn(claims, claim) ? own(claims, claim) : claim.split('.').reduce(own, claims)
}

function bad(claim: string, found: string, expected: string): TokenProblem {
  return new TokenProblem('badIdentity', { claim, found, expected })
}

/** @throws TokenProblem with a 403 when the side may not be there */
export function checkGrant({ identity, names }: Grant, right: Right, name: string, config: Config): void {
  if (!identity.rights.has(right)) throw new TokenProblem('noRight', { right, remedy: remedy(right, config) })
  if (names === undefined || names.some((pattern) => pattern.covers(name))) return
  const patterns = names.map(({ source }) => source).join(', ')
  throw new TokenProblem('noName', { name: show(name), patterns: patterns === '' ? 'none' : show(patterns) })
}

function remedy(right: Right, { rightsClaim, rights }: Config): string {
  if (rightsClaim === undefined) return 'The configuration of this gateway gives it to no token.'
  const wanted = rights[right].map((scope) => `"${scope}"`).join(' or ')
  return `Ask for one with ${wanted} in its claim "${rightsClaim}".`
}
