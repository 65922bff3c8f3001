import { isIP } from 'node:net'

/** What an address counts as: IPv4 as it is, also when it is written as IPv6; of IPv6 the leading `prefix` bits. */
export function addressKey(address: string, prefix: number): string {
  if (isIP(address) !== 6) return address
  const groups = groupsOf(address)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.')
  const kept = groups.map((group, i) => {
    const bits = Math.min(16, Math.max(0, prefix - i * 16))
    return group & (0xffff << (16 - bits)) & 0xffff
  })
  return `${kept.map((group) => group.toString(16)).join(':')}/${prefix}`
}

/** The eight numbers of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [left = '', right] = address.replace(/%.*$/, '').split('::')
  const head = numbers(left)
  if (right === undefined) return head
  const tail = numbers(right)
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}

function numbers(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
