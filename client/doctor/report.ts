import { safeJson, safeText } from '../safe-text.js'
import type { Verdict } from './check.js'
import type { Result } from './examine.js'

const COLOURS: Readonly<Record<Verdict, number>> = { ok: 32, warn: 33, fail: 31, skip: 90 }
const NAME_WIDTH = 20
const INDENT = ' '.repeat(6)

/** One line, and for what is to be mended what it means and the settings. */
export function textOf({ check, verdict, seen, means, mend = {} }: Result, colour: boolean): string {
  const word = verdict.padEnd(6)
  const mark = colour ? `\u001b[${COLOURS[verdict]}m${word}\u001b[0m` : word
  const settings = Object.entries(mend).map(([where, setting]) => `${where}: ${setting}`)
  const more = [...(means === undefined || means === '' ? [] : [means]), ...settings]
  return [
    `${mark}${check.padEnd(NAME_WIDTH)}${safeText(seen, false)}`,
    ...more.map((line) => INDENT + safeText(line, false)),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

export function jsonOf(value: unknown): string {
  return `${safeJson(value)}\n`
}
