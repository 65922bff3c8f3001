/** Figures for people. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `64 B`, `3.0 MB`: decimal units, as disks and networks count. */
export function bytesInWords(bytes: number): string {
  let value = bytes
  let unit = 0
  // What would be rounded to 1000 belongs to the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const isShort = unit > 0 && value < 9.95
  return `${isShort ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`
}

/** `11 ms`, `3.1 s`, `5 min 0 s`, `2 h 5 min`. */
export function durationInWords(ms: number): string {
  if (ms < 1000) return `${ms} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

let second = -1
let clock = ''

/** The local time of day, `16:23:03`. */
export function timeOfDay(time: number): string {
  const now = Math.floor(time / 1000)
  if (now !== second) {
    second = now
    clock = new Date(time).toTimeString().slice(0, 8)
  }
  return clock
}
