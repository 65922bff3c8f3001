import type { HeaderList } from '../../../gateway/host/plugin-api.js'

const ADDRESSES = new Set(['location', 'content-location'])

/**
 * Puts a prefix that was left out of the request back into the addresses of the answer, which are for the client: `Location`,
 * `Content-Location` and the paths of cookies. What has it already, because the upstream heeds `X-Forwarded-Prefix`, stays.
 * @param prefix without a slash at its end; '' when none was left out
 * @param authorities hosts, with their ports, by which the upstream may call itself: first that of the client's request, to whose
 *   client the others may mean nothing
 */
export function restorePrefix(headers: HeaderList, prefix: string, authorities: readonly string[]): HeaderList {
  if (prefix === '') return headers
  return headers.map(([name, value]) => {
    const lower = name.toLowerCase()
    if (ADDRESSES.has(lower)) return [name, addressBelow(value, prefix, authorities)]
    return lower === 'set-cookie' ? [name, cookieBelow(value, prefix)] : [name, value]
  })
}

function addressBelow(value: string, prefix: string, authorities: readonly string[]): string {
  const [, origin = '', authority = '', path = ''] = /^((?:https?:)?\/\/([^/?#]*))?(.*)$/is.exec(value)!
  // Relative addresses hold as they are, and those of others are theirs.
  const which = authorities.indexOf(authority.toLowerCase())
  if (origin === '' ? !path.startsWith('/') : which < 0) return value
  return (which > 0 ? '' : origin) + pathBelow(path === '' ? '/' : path, prefix)
}

/** A cookie without a path is for where it came from. One of the prefix `__Host-` is for all paths. */
function cookieBelow(value: string, prefix: string): string {
  if (/^__Host-/i.test(value)) return value
  return value.replace(
    /(;\s*path\s*=\s*)(\/[^;]*)/i,
    (_all, name: string, path: string) => name + pathBelow(path, prefix),
  )
}

function pathBelow(path: string, prefix: string): string {
  const isBelow = path.startsWith(prefix) && /^(?:[/?#]|$)/.test(path.slice(prefix.length))
  return isBelow ? path : prefix + path
}
