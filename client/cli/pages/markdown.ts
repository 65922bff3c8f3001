import type { Program } from '../command.js'
import type { Description } from '../description.js'
import { EXIT_CODES } from '../exit-codes.js'
import { type FlagLine, flagLines, synopsis } from '../synopsis.js'

/** The part of docs/cli.md that follows from the descriptions: what there is, what the exit codes mean, and a part for each command. */
export function commandsMarkdown(program: Program, descriptions: readonly Description[]): string {
  return [
    table(
      ['command', 'what it does'],
      descriptions.map(({ name, summary }) => [`[\`${program.name} ${name}\`](#${program.name}-${name})`, summary]),
    ),
    '## Exit codes',
    table(['code', 'meaning'], Object.entries(EXIT_CODES)),
    ...descriptions.flatMap(commandPart),
  ].join('\n\n')
}

function commandPart(description: Description): string[] {
  const { name, about, exits, examples, variables = {}, arguments: wanted, page } = description
  const groups = [...flagLines(description)]
  // The settings have a table of their own.
  const flags = groups.filter(([group]) => group === 'Flags').flatMap(([, lines]) => lines)
  const others = groups.filter(([group]) => group !== 'Flags').reduce((sum, [, lines]) => sum + lines.length, 0)
  return [
    `## pipegate ${name}`,
    code(synopsis(description)),
    ...about,
    ...(Object.keys(wanted).length === 0
      ? []
      : [
          table(
            ['argument', 'meaning'],
            Object.values(wanted).map(({ type, help }) => [code(type.metavar), help]),
          ),
        ]),
    table(
      ['flag', 'meaning'],
      flags.map((line) => [flagCell(line), line.help]),
    ),
    ...(others === 0 ? [] : [`And a flag for each of the ${others} [settings](configuration.md#settings).`]),
    ...(Object.keys(variables).length === 0
      ? []
      : [
          table(
            ['variable', 'meaning'],
            Object.entries(variables).map(([each, help]) => [code(each), help]),
          ),
        ]),
    table(['exit code', 'meaning'], Object.entries(exits)),
    examples.map(({ run, does }) => `- ${does}: ${code(run)}`).join('\n'),
    ...(page === undefined || page === 'cli.md' ? [] : [`More: [${page}](${page})`]),
  ]
}

function flagCell({ short, long, metavar }: FlagLine): string {
  return `${short === undefined ? '' : `\`-${short}\`, `}${code(metavar === undefined ? long : `${long} ${metavar}`)}`
}

function code(text: string): string {
  return `\`${text}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
