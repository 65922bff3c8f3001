import type { LinkRight } from './signature.js'

/** A link to watch opens the progress of a pipe, one to receive the pipe itself. */
export function linkUrl(address: string, right: LinkRight, signature: string): string {
  return `${address}?${right === 'watch' ? 'progress&' : ''}sig=${signature}`
}

/** @param expiry seconds since 1970 */
export function expiryText(expiry: number): string {
  return new Date(expiry * 1000).toISOString().replace('.000Z', 'Z')
}
