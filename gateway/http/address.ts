import { Refusal } from '../../core/index.js'
import { FAILURES } from './failures.js'
import { show } from './parameters.js'

const MAX_NAME = 1024

/** Names that no pipe can have. The empty one is the page at the root. */
const RESERVED = new Set([
  '',
  'noscript',
  'help',
  'version',
  'health',
  'metrics',
  'openapi.json',
  'favicon.ico',
  'robots.txt',
])

/** What a request's path refers to. */
export type Address =
  | { readonly kind: 'pipe'; readonly name: string; readonly underPrefix: boolean }
  | { readonly kind: 'reserved'; readonly name: string; readonly underPrefix: boolean }

export interface AddressRules {
  /** `/api/v1/pipe`, for example; empty when there is none. */
  readonly prefix: string
  /** Whether `/{name}` works besides `/{prefix}/{name}`. */
  readonly bareNames: boolean
}

/** Reads a raw path. Two paths refer to the same pipe when they give the same name. */
export function readAddress(path: string, rules: AddressRules): Address | Refusal {
  const { prefix } = rules
  const underPrefix = prefix === '' || path === prefix || path.startsWith(`${prefix}/`)
  if (!underPrefix && !rules.bareNames) {
    return new Refusal(FAILURES.notHere, { found: show(path), instead: `${prefix}/<name>` })
  }
  const name = canonicalName(path.slice(underPrefix ? prefix.length + 1 : 1))
  const reserved = name.replace(/[/.]$/, '').toLowerCase()
  // `.` alone is a forbidden segment, not an alias of the empty name.
  if (RESERVED.has(reserved) && name !== '.') return { kind: 'reserved', name: reserved, underPrefix }
  return nameProblem(name) ?? { kind: 'pipe', name, underPrefix }
}

/**
 * The one spelling of a name: the hex digits of percent-escapes are in upper case, and raw non-ASCII characters, which
 * curl sends as they are, are escaped as a browser does it. Nothing is decoded.
 */
export function canonicalName(name: string): string {
  const escaped = name.replace(/%[0-9a-f]{2}/gi, (each) => each.toUpperCase())
  return /[^\x00-\x7f]/.test(escaped) ? escaped.replace(/[^\x00-\x7f]+/g, encodeURIComponent) : escaped
}

/** Checked in this order, so that the most useful message comes first. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  // uWebSockets decodes a raw path as UTF-8, so all invalid bytes arrive as U+FFFD: such names would be one and the
  // same.
  [/%EF%BF%BD/, 'bytes that are not UTF-8'],
  [/[\x00-\x1f\x7f]/, 'a control character'],
  [/\\/, 'a backslash'],
  [/%2F/, 'an escaped slash (%2F)'],
  [/%5C/, 'an escaped backslash (%5C)'],
  [/%[01][0-9A-F]|%7F/, 'an escaped control character'],
  [/(^|\/)(\.|%2E){1,2}(\/|$)/, 'a "." or ".." segment'],
]

/** Of these characters alone no forbidden part can be made. Most names have no others. */
const PLAIN = /^[\w~/-]*$/

function nameProblem(name: string): Refusal | undefined {
  if (name.length > MAX_NAME) return new Refusal(FAILURES.nameTooLong, { found: name.length })
  if (PLAIN.test(name)) return undefined
  for (const [pattern, found] of FORBIDDEN) if (pattern.test(name)) return new Refusal(FAILURES.badName, { found })
  return undefined
}
