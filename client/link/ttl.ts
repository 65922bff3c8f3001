import type { ValueType } from '../cli/values.js'

/** What is written with a unit, in seconds. */
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }
const YEAR = 31_536_000

/** How long a link holds, in seconds. */
export const TTL: ValueType<number> = {
  metavar: 'TIME',
  expected: '90s, 30m, 1h or 7d, and at most a year',
  read: (written) => {
    const [, digits = '', unit = ''] = /^(\d{1,9})([smhd]?)$/.exec(written) ?? []
    const ttl = Number(digits) * UNITS[unit]!
    return ttl >= 1 && ttl <= YEAR ? ttl : undefined
  },
}
