import { canonicalName, type RequestView } from '../../../gateway/host/plugin-api.js'

/**
 * What could mean another path to the upstream than to whoever let the request in. A slash may be escaped, or a backslash: some
 * servers take these for one.
 */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/(^|\/|\\|%2F|%5C)(\.|%2E){1,2}(\/|\\|%2F|%5C|$)/i, 'a "." or ".." segment in its path'],
  // uWebSockets decodes the path as UTF-8.
  [/\ufffd|%EF%BF%BD/i, 'bytes in its path that are not UTF-8'],
]

/** Why a path is not forwarded; undefined when it is. */
export function pathProblem(path: string): string | undefined {
  for (const [pattern, found] of PROBLEMS) if (pattern.test(path)) return found
  return undefined
}

/** What the gates are told: with as many segments as any upstream could see, which may take all of these for a slash. */
export function nameOf(path: string): string {
  return canonicalName(path.slice(1)).replace(/%2F|%5C|\\/g, '/')
}

/**
 * What stands in the request line to the upstream.
 * @param strip a prefix of the path that is left out, but for a slash at its end
 */
export function targetPath({ path, query }: Pick<RequestView, 'path' | 'query'>, strip: string): string {
  const stripped = path.slice(strip.replace(/\/$/, '').length) || '/'
  return ascii(query === '' ? stripped : `${stripped}?${query}`)
}

/** Raw characters as browsers escape them. */
function ascii(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : text.replace(/[^\x00-\x7f]+/g, encodeURIComponent)
}
