/** Numbers as people read them: one wording for the page and the terminal. English, decimal units, plain spaces. */
import type { Receipt } from './snapshot.js'

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const

/** `0 B`, `999 B`, `1.0 kB`, `99.9 kB`, `283 kB`, `7.6 GB`: powers of 1000, two or three digits. */
export function formatBytes(bytes: number): string {
  let value = Math.round(bytes)
  if (value < 1000) return `${value} B`
  let unit = 0
  // What is rounded up to 1000 belongs to the next unit.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${BYTE_UNITS[unit]}`
}

/** `283 kB/s` */
export function formatSpeed(bytesPerSec: number): string {
  return `${formatBytes(bytesPerSec)}/s`
}

/**
 * `40 ms`, `4.2 s`, `45 s`, `2 m 5 s`, `8 h 2 m`, `3 d 4 h`: the two largest units, what is below them cut off. Whole seconds
 * stay whole (`4 s`): a figure that ticks is rounded by the caller.
 */
export function formatDuration(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${Math.floor(seconds * 1000)} ms`
  if (seconds < 10 && !Number.isInteger(seconds)) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`
  const s = Math.floor(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} m ${s % 60} s`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
}

/**
 * How much of it is there, 0 to 1; null when the total is not known, or is a hint that has turned out to be too small. An
 * empty stream is null too: nothing is no part of nothing.
 */
export function shareOf(bytes: number, totalBytes: number | null): number | null {
  return totalBytes === null || totalBytes <= 0 || bytes > totalBytes ? null : bytes / totalBytes
}

/** `42 %`, `42.3 %`: cut off, so that 100 % is everything. */
export function formatPercent(share: number, digits = 0): string {
  const scale = 10 ** digits
  return `${(Math.floor(share * 100 * scale + 1e-9) / scale).toFixed(digits)} %`
}

/** How far something came: `34 %`, or `1.2 MB` when nobody knows how much there was. */
export function formatShare(bytes: number, totalBytes: number | null): string {
  const share = shareOf(bytes, totalBytes)
  return share === null ? formatBytes(bytes) : formatPercent(share)
}

/** `59 minutes`, `1 minute`, `42 seconds`: a wait that nobody counts. @param seconds rounded up */
export function formatWait(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds))
  const [count, unit] = left >= 120 ? [Math.round(left / 60), 'minute'] : [left, 'second']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** What the line that stays is made of. */
export type Ending = Pick<Receipt, 'state' | 'bytes' | 'duration' | 'avgSpeed' | 'startedAt' | 'message' | 'reason'>

/** What takes less than a second has no speed that means anything: its figure is that of a buffer, or of a clock. */
export function hasSpeed({ duration, avgSpeed }: Pick<Ending, 'duration' | 'avgSpeed'>): boolean {
  return avgSpeed !== null && duration >= 1
}

/**
 * The line that stays: `complete: 7.6 GB in 8 h 2 m, average 283 kB/s`, `failed: sender disconnected after 1.2 GB in 3 h 5 m`,
 * `failed: timed out waiting for receivers`.
 */
export function formatReceipt(ending: Ending): string {
  const { state, bytes, duration, avgSpeed, startedAt } = ending
  const amount = `${formatBytes(bytes)} in ${formatDuration(duration)}`
  if (state === 'complete') return `complete: ${amount}${hasSpeed(ending) ? `, average ${formatSpeed(avgSpeed!)}` : ''}`
  return startedAt === null ? `failed: ${whyOf(ending)}` : `failed: ${whyOf(ending)} after ${amount}`
}

/** The sentence as part of another one: `The sender disconnected.` → `sender disconnected`. */
function whyOf({ message, reason }: Ending): string {
  const sentence = message ?? reason?.replaceAll('_', ' ') ?? 'unknown reason'
  const phrase = sentence.replace(/^The /, '').replace(/\.$/, '')
  return /^[A-Z][a-z]/.test(phrase) ? phrase.charAt(0).toLowerCase() + phrase.slice(1) : phrase
}
