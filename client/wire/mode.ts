/** What both sides say of a transfer in the address of a request. */
export interface Mode {
  readonly kind: 'pipe' | 'live' | 'queue'
  readonly receivers: number
  /** Compare SHA-256 digests with the server. */
  readonly isVerified: boolean
}

/** Its parameters, as they stand there. @param waitS how long this request waits, in seconds */
export function modeOf({ receivers, kind, isVerified }: Mode, waitS: number): string {
  if (kind === 'live') return `live&wait=${waitS}`
  const parts = [`wait=${waitS}`]
  if (receivers > 1) parts.push(`n=${receivers}`)
  if (kind === 'queue') parts.push('queue')
  if (isVerified) parts.push('sha256')
  return parts.join('&')
}
