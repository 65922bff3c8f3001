import type { Import } from './imports.js'
import { ROOMS, roomOf } from './rooms.js'

/** Where the drawing stands in docs/architecture.md. */
export const BEGIN = '<!-- rooms:begin (drawn from the imports by `npm run docs:rooms`; npm test compares) -->'
export const END = '<!-- rooms:end -->'

/** The page with the drawing of these imports in its place. */
export function withDrawing(page: string, imports: readonly Import[]): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`the page has no place for the drawing: ${BEGIN} … ${END}`)
  return `${before}${BEGIN}\n${drawing(imports)}${END}${after}`
}

/**
 * The rooms as a Mermaid graph, and a table of what each is for and may import. An arrow that follows from others is left out:
 * who imports `gateway/router` may well import `gateway/http` too.
 */
export function drawing(imports: readonly Import[]): string {
  const arrows = reduced(roomArrows(imports))
  const id = (path: string) => path.replace(/\W/g, '_')
  const boxes = ROOMS.map(({ path }) => `  ${id(path)}["${path}"]`)
  const lines = [...arrows].flatMap(([from, tos]) => [...tos].map((to) => `  ${id(from)} --> ${id(to)}`))
  const rows = [...ROOMS].reverse().map(({ path, purpose, imports: allowed }) => {
    return `| \`${path}\` | ${purpose} | ${allowed.map((each) => `\`${each}\``).join(', ') || 'nothing'} |`
  })
  const graph = ['```mermaid', 'graph TD', ...boxes, ...lines, '```']
  return `${[...graph, '', '| room | what happens there | may import |', '| --- | --- | --- |', ...rows].join('\n')}\n`
}

function roomArrows(imports: readonly Import[]): Map<string, Set<string>> {
  const arrows = new Map<string, Set<string>>(ROOMS.map(({ path }) => [path, new Set()]))
  for (const { from, to, isLocal } of imports) {
    const [a, b] = [roomOf(from)?.path, roomOf(to)?.path]
    if (isLocal && a !== undefined && b !== undefined && a !== b) arrows.get(a)!.add(b)
  }
  return arrows
}

/** Without the arrows that a longer way stands for. */
function reduced(arrows: Map<string, Set<string>>): Map<string, string[]> {
  const reaches = (from: string, to: string): boolean =>
    [...arrows.get(from)!].some((next) => next === to || reaches(next, to))
  return new Map(
    [...arrows].map(([from, tos]) => {
      const direct = [...tos].filter((to) => ![...tos].some((other) => other !== to && reaches(other, to)))
      return [from, direct.sort()]
    }),
  )
}
