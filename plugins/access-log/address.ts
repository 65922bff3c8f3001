import { isIPv4, isIPv6 } from 'node:net'

/**
 * One spelling for an address: IPv4 without the `::ffff:` of a socket that takes both, IPv6 in its short form (RFC 5952),
 * without a zone. What is no address is returned as it is.
 */
export function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '')
  if (!isIPv6(bare)) return bare
  const groups = groupsOf(bare)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [groups[6]!, groups[7]!].map((group) => `${group >> 8}.${group & 255}`).join('.')
  }
  return shortForm(bare)
}

/** The network it is in: `192.0.2.0/24`, `2001:db8:1::/48`. */
export function truncatedAddress(address: string): string {
  const plain = plainAddress(address)
  if (isIPv4(plain)) return `${plain.replace(/\.\d+$/, '')}.0/24`
  if (!isIPv6(plain)) return 'unknown'
  const [a, b, c] = groupsOf(plain).map((group) => group.toString(16))
  return `${shortForm(`${a}:${b}:${c}::`)}/48`
}

/** A URL's host is written in the short form. */
function shortForm(ipv6: string): string {
  return new URL(`http://[${ipv6}]`).hostname.slice(1, -1)
}

function groupsOf(ipv6: string): number[] {
  const [left = '', right] = shortForm(ipv6).split('::')
  const before = numbers(left)
  if (right === undefined) return before
  const after = numbers(right)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function numbers(part: string): number[] {
  return part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
}
