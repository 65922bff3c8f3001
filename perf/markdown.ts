/** Results as the tables of docs/performance.md. */

import type { LaneResult } from './result.js'
import { short, targetText, verdict } from './table.js'

/** Two tables: the targets, and the medians of all figures of all sides. */
export function figuresMarkdown(results: readonly LaneResult[]): string {
  const goals = results.flatMap(({ lane, goals }) =>
    goals.map((goal) => {
      const range = goal.low === goal.high ? '' : ` (${short(goal.low)} to ${short(goal.high)})`
      return row(
        `\`${lane}\``,
        goal.what,
        `${withUnit(goal.value, goal.unit)}${range}`,
        targetText(goal),
        verdict(goal),
      )
    }),
  )
  const head = row('lane', 'what', 'measured (rounds)', 'target', '')
  const rule = row('---', '---', '---', '---', '---')
  return [head, rule, ...goals, '', ...figureTable(results), ''].join('\n')
}

function figureTable(results: readonly LaneResult[]): string[] {
  const rows = results.flatMap(({ lane, sides }) => {
    const names = [...new Set(sides.flatMap(({ figures }) => figures.map(({ name }) => name)))]
    return names.map((name) => row(`\`${lane}\``, name, mediansOf(name, sides)))
  })
  return [row('lane', 'figure', 'medians'), row('---', '---', '---'), ...rows]
}

function mediansOf(name: string, sides: LaneResult['sides']): string {
  const each = sides.flatMap((side) => {
    const figure = side.figures.find((one) => one.name === name)
    return figure === undefined ? [] : [`${side.name} ${withUnit(figure.median, figure.unit)}`]
  })
  return each.join(', ')
}

function withUnit(value: number, unit: string): string {
  return `${short(value)} ${unit}`.trim()
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
