import type { LinkRight } from './signature.js'

/** A link to watch opens the progress of a pipe, one to receive the pipe itself. */
export function linkUrl(address: string, right: LinkRight, signature: string): string {
  return `${address}?${right === 'watch' ? 'progress&' : ''}sig=${signature}`
}
