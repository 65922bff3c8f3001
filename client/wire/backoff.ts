const FIRST_MS = 500
const MOST_MS = 30_000
const DAY_MS = 86_400_000

/**
 * How long to wait before attempt 1, 2, …: half a second, doubled up to half a minute, of which a random half is left out, so that
 * all who watched a server do not come back to it at once.
 * @param random 0 to 1
 */
export function backoffMs(attempt: number, random = Math.random()): number {
  return Math.min(MOST_MS, FIRST_MS * 2 ** (attempt - 1)) * (1 - random / 2)
}

/** `Retry-After` in milliseconds from now: seconds or a date (RFC 9110, 10.2.3); 0 when it says nothing. */
export function retryAfterMs(value: string | undefined, now = Date.now()): number {
  if (value === undefined) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return ms > 0 ? Math.min(ms, DAY_MS) : 0
}
