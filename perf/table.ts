/** Results as text for a terminal. */

import type { Figure, Goal, LaneResult, Side } from './result.js'

/** A lane with its goals first, and then every figure of every side. */
export function laneText(result: LaneResult): string {
  const lines = [`${result.lane}: ${result.title} (${result.seconds} s)`]
  if (result.failed !== null) lines.push(`  FAILED: ${result.failed}`)
  if (result.goals.length > 0) lines.push(...aligned(result.goals.map(goalCells)))
  if (result.sides.length > 0) lines.push(...aligned(result.sides.flatMap(figureCells)))
  lines.push(...result.notes.map((note) => `  ${note}`))
  return `${lines.join('\n')}\n`
}

function goalCells(goal: Goal): string[] {
  const range = goal.low === goal.high ? '' : `(${short(goal.low)} to ${short(goal.high)})`
  return [verdict(goal), goal.what, `${short(goal.value)} ${goal.unit}`, range, targetText(goal)]
}

/** In words, for people who do not see colours. */
export function verdict(goal: Goal): string {
  return goal.reached ? 'reached' : 'NOT REACHED'
}

/** `at most 0.4 ×` */
export function targetText({ bound, target, unit }: Goal): string {
  return `${bound === 'most' ? 'at most' : 'at least'} ${short(target)} ${unit}`.trim()
}

function figureCells(side: Side): string[][] {
  return side.figures.map(({ name, unit, median, low, high, values }) => {
    const range = values.length < 2 ? '' : `(${short(low)} to ${short(high)})`
    return [side.name, name, `${short(median)} ${unit}`, range]
  })
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
}

/** Three digits that mean something, without an exponent. */
export function short(value: number): string {
  if (value === 0 || Number.isNaN(value)) return `${value}`
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(6, digits))
}

/** Every figure of the head divided by the base's. */
export function comparisonText(result: LaneResult, base: string): string {
  const [head, other] = result.sides
  const lines = [`${result.lane}: head against ${base} (${result.seconds} s)`]
  if (result.failed !== null) lines.push(`  FAILED: ${result.failed}`)
  if (head !== undefined && other !== undefined)
    lines.push(...aligned(head.figures.map((figure) => ratioCells(figure, other))))
  return `${lines.join('\n')}\n`
}

function ratioCells({ name, unit, median, values }: Figure, other: Side): string[] {
  const base = other.figures.find((figure) => figure.name === name)
  if (base === undefined) return [name]
  const each = values.map((value, i) => value / base.values[i]!)
  const range = `(${short(Math.min(...each))} to ${short(Math.max(...each))})`
  return [name, `${short(median / base.median)} ×`, range, `${short(base.median)} → ${short(median)} ${unit}`]
}
