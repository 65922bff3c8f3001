import { canonicalName, type RequestView } from '../../../gateway/host/plugin-api.js'
import { readsAsDots } from './segment.js'

/** What servers take for a slash: a backslash, and either of them escaped, even twice. */
const SLASHES = /\/|\\|%(?:25)*(?:2F|5C)/i

/** Nothing else can begin a segment that is read so, and nearly all paths have none of it. */
const MAY_BE_DOTS = /(?:^|[/\\])[.\x00-\x20\x7f]|%/

/** What could mean another path to the upstream than to whoever let the request in. */
const PROBLEMS: readonly (readonly [(path: string) => boolean, string])[] = [
  [
    (path) => MAY_BE_DOTS.test(path) && path.split(SLASHES).some(readsAsDots),
    'a segment in its path that may be read as "." or ".."',
  ],
  // The path was decoded as UTF-8.
  [(path) => /\ufffd|%EF%BF%BD/i.test(path), 'bytes in its path that are not UTF-8'],
  // An ASCII character in more bytes than it has: some decoders take %C0%AF for a slash.
  [(path) => /%C[01]%[89AB][0-9A-F]|%E0%[89][0-9A-F]%|%F0%8[0-9A-F]%/i.test(path), 'an overlong escape in its path'],
  [(path) => path.includes('%00'), 'an escaped NUL in its path'],
]

/** Why a path is not forwarded; undefined when it is. */
export function pathProblem(path: string): string | undefined {
  return PROBLEMS.find(([applies]) => applies(path))?.[1]
}

/**
 * The path without its "." segments, as RFC 3986 (section 6.2.2.3) has it: `apt` asks for `/apt/./Packages`. With ".." it is left
 * as it is, to be refused.
 */
export function withoutDots(path: string): string {
  if (!path.includes('/.') && !path.includes('/%2')) return path
  return path.replace(/\/(?:\.|%2E)(?=\/)/gi, '').replace(/\/(?:\.|%2E)$/i, '/')
}

/** What the gates are told: with as many segments as any upstream could see, which may take all of these for a slash. */
export function nameOf(path: string): string {
  return canonicalName(withoutDots(path).slice(1)).replace(/%2F|%5C|\\/g, '/')
}

/**
 * What stands in the request line to the upstream.
 * @param strip a prefix of the path that is left out, without a slash at its end
 */
export function targetPath({ path, query }: Pick<RequestView, 'path' | 'query'>, strip: string): string {
  const stripped = path.slice(strip.length) || '/'
  return ascii(query === '' ? stripped : `${stripped}?${query}`)
}

/** Raw characters as browsers escape them. */
function ascii(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : text.replace(/[^\x00-\x7f]+/g, encodeURIComponent)
}
