/** What a run has shown, as a table for people. */

import type { Result } from './run.js'
import { RULES } from './tally.js'

export function report({ options, seconds, tally, faults, gateways }: Result): string {
  const out: string[] = []
  const row = (...cells: (string | number)[]) =>
    out.push(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(36) : String(cell).padStart(12))).join(''))
  out.push('', `seed ${options.seed}, ${Math.round(seconds)} s of load with faults`, '')
  row('load', 'verified', 'cut', 'refused', 'MB compared')
  for (const [name, { verified, cut, refused, bytes }] of tally.kinds)
    row(name, verified, cut, refused, megabytes(bytes))
  const { total } = tally
  row('together', total.verified, total.cut, total.refused, megabytes(total.bytes))
  out.push('', `cut:     ${counts(tally.cuts)}`, `refused: ${counts(tally.refusals)}`, '')
  row('fault', 'planted')
  for (const { name, what, planted } of faults) out.push(`${name.padEnd(36)}${String(planted).padStart(12)}   ${what}`)
  out.push('')
  for (const each of gateways) {
    const silences = [...each.silences].map(([ms, count]) => `${count} above ${ms} ms`).join(', ')
    const { baseline } = each
    out.push(
      `gateway ${each.name}:`,
      `  longest silence of the loop ${Math.round(each.silenceMs)} ms, stops counted out (${silences})`,
      `  resident memory ${megabytes(baseline.residentBytes)} MB before, ${megabytes(each.mostResidentBytes)} at most, ${megabytes(each.residentBytes)} after`,
      `  descriptors ${baseline.descriptors} before, ${each.descriptors} after; ${(each.cpuSeconds / seconds).toFixed(2)} of a core`,
      `  ${each.logLines} lines of the log, ${each.lostLines} said to be lost; warnings: ${counts(each.warnings)}`,
    )
  }
  out.push('')
  for (const rule of RULES) row(rule, tally.broken.get(rule) ?? 0)
  for (const { rule, text } of tally.problems) out.push('', `${rule}: ${text}`)
  const isRight = tally.broken.size === 0
  out.push('', isRight ? 'Every rule was kept.' : `NOT every rule was kept: repeat it with --seed ${options.seed}`)
  return out.join('\n')
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
}

function counts(named: ReadonlyMap<string, number>): string {
  const sorted = [...named].sort(([, a], [, b]) => b - a)
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'
}
