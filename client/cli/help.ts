import { columns, type Row, wrap } from './columns.js'
import type { Program } from './command.js'
import { type Description, SECTIONS } from './description.js'
import { PLAIN, type Style } from './style.js'
import { type FlagLine, flagLines, synopsis } from './synopsis.js'

/** What `pipegate NAME --help` prints. */
export function helpText(description: Description, style: Style = PLAIN): string {
  const { width, heading } = style
  const paragraphs = description.about.map((text) => [...wrap(text, width), ''])
  const wanted = Object.values(description.arguments).map(({ type, help }) => [type.metavar, help] as const)
  const exits = Object.entries(description.exits)
  return [
    ...usage(description, style),
    '',
    ...paragraphs.flat(),
    ...(wanted.length === 0 ? [] : [heading('Arguments:'), ...columns(wanted, width), '']),
    ...flagTables(description, style),
    ...table('Variables:', Object.entries(description.variables ?? {}), style),
    ...table('Exit codes:', exits, style),
    heading('Examples:'),
    ...description.examples.flatMap(({ run, does }) => [`  # ${does}`, ...run.split('\n').map((line) => `  ${line}`)]),
    ...(description.page === undefined ? [] : ['', `More: docs/${description.page}`]),
    '',
  ].join('\n')
}

/** Behind an error. */
export function usageLine(description: Description): string {
  return `usage: ${synopsis(description)}; pipegate ${description.name} --help tells more`
}

function usage(description: Description, { width, heading }: Style): string[] {
  const [first = '', ...rest] = wrap(synopsis(description), width - 'Usage: '.length)
  return [`${heading('Usage:')} ${first}`, ...rest.map((line) => `       ${line}`)]
}

/** A table for each group of flags, all with the same columns. */
function flagTables(description: Description, { width, heading }: Style): string[] {
  const groups = [...flagLines(description)].map(([group, lines]) => [group, lines.map(flagRow)] as const)
  const all = groups.flatMap(([, rows]) => rows)
  return groups.flatMap(([group, rows]) => [heading(`${group}:`), ...columns(rows, width, all), ''])
}

function flagRow({ short, long, metavar, help }: FlagLine): Row {
  return [`${short === undefined ? '    ' : `-${short}, `}${long}${metavar === undefined ? '' : ` ${metavar}`}`, help]
}

function table(title: string, rows: readonly Row[], { width, heading }: Style): string[] {
  return rows.length === 0 ? [] : [heading(title), ...columns(rows, width), '']
}

/** What `pipegate help` prints: every command with its line. */
export async function overview(program: Program, style: Style = PLAIN): Promise<string> {
  const { width, heading } = style
  const all = await descriptionsOf(program)
  const widest = Math.max(...all.map(({ name }) => name.length))
  const sections = SECTIONS.flatMap((section) => {
    const rows = all
      .filter((each) => each.section === section)
      .map((each) => [each.name.padEnd(widest), each.summary] as const)
    return rows.length === 0 ? [] : [heading(`${section}:`), ...columns(rows, width), '']
  })
  const { name } = program
  const more = [
    [`${name} help COMMAND`, 'what a command does, its flags, its exit codes and examples (also COMMAND --help)'],
    [`${name} --version`, 'the version (also -V)'],
  ] as const
  return [
    `${heading('Usage:')} ${name} COMMAND [arguments and flags]`,
    '',
    ...wrap(program.summary, width),
    '',
    ...sections,
    ...columns(more, width),
    '',
  ].join('\n')
}

/** The descriptions of all commands, in their order. Loads no code of theirs. */
export function descriptionsOf({ commands }: Program): Promise<Description[]> {
  return Promise.all(Object.values(commands).map(async (each) => (await each.describe()).description))
}
