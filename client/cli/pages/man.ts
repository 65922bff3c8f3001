import { wrap } from '../columns.js'
import type { Program } from '../command.js'
import { type Description, SECTIONS } from '../description.js'
import { EXIT_CODES } from '../exit-codes.js'
import { flagLines, synopsis } from '../synopsis.js'

/** The manual page of a command, for man(7) macros: groff and mandoc. */
export function commandPage(description: Description, program: Program): string {
  const { name, summary, about, exits, variables = {}, examples, arguments: wanted } = description
  const full = `${program.name}-${name}`
  const flags = [...flagLines(description)].flatMap(([group, lines]) => [
    ...(group === 'Flags' ? [] : [`.SS ${quoted(group)}`]),
    ...lines.flatMap(({ short, long, metavar, help }) => {
      const names = [...(short === undefined ? [] : [`-${short}`]), long]
        .map((each) => `\\fB${literal(each)}\\fR`)
        .join(', ')
      return tagged(metavar === undefined ? names : `${names} \\fI${literal(metavar)}\\fR`, help)
    }),
  ])
  return page([
    head(full, program),
    ...section('NAME', [`${literal(full)} \\- ${literal(summary)}`]),
    ...section('SYNOPSIS', [`.B ${literal(synopsis(description))}`]),
    ...section(
      'DESCRIPTION',
      about.flatMap((text, i) => [...(i === 0 ? [] : ['.PP']), prose(text)]),
    ),
    ...section(
      'ARGUMENTS',
      Object.values(wanted).flatMap(({ type, help }) => tagged(`\\fI${literal(type.metavar)}\\fR`, help)),
    ),
    ...section('OPTIONS', flags),
    ...section('ENVIRONMENT', bold(Object.entries(variables))),
    ...section('EXIT STATUS', bold(Object.entries(exits))),
    ...section(
      'EXAMPLES',
      examples.flatMap(({ run, does }, i) => [
        ...(i === 0 ? [] : ['.PP']),
        `${prose(capital(does))}:`,
        '.PP',
        '.EX',
        ...run.split('\n').map((line) => `  ${literal(line)}`),
        '.EE',
      ]),
    ),
    ...section('SEE ALSO', [`.BR ${literal(program.name)} (1)`]),
  ])
}

/** The manual page of the program. */
export function programPage(program: Program, descriptions: readonly Description[]): string {
  const { name, summary } = program
  const commands = SECTIONS.flatMap((title) => [
    `.SS ${quoted(title)}`,
    ...descriptions
      .filter(({ section }) => section === title)
      .flatMap((each) => tagged(`\\fB${literal(synopsis(each))}\\fR`, `${capital(each.summary)}.`)),
  ])
  return page([
    head(name, program),
    ...section('NAME', [`${name} \\- a gateway where the body of one HTTP request becomes the response of another`]),
    ...section('SYNOPSIS', [`.B ${name}`, '.I COMMAND', '.RI [ "arguments and flags" ]']),
    ...section('DESCRIPTION', [
      prose(summary),
      prose(`${name} help COMMAND, ${name} COMMAND --help and the page of each command tell more.`),
    ]),
    ...section('COMMANDS', commands),
    ...section('OPTIONS', [
      ...tagged('\\fB\\-h\\fR, \\fB\\-\\-help\\fR', 'Print the commands and exit.'),
      ...tagged('\\fB\\-V\\fR, \\fB\\-\\-version\\fR', 'Print the version and exit.'),
    ]),
    ...section(
      'EXIT STATUS',
      bold(Object.entries(EXIT_CODES).map(([code, meaning]) => [code, `${capital(meaning)}.`])),
    ),
    ...section('SEE ALSO', [descriptions.map((each) => `.BR ${literal(`${name}-${each.name}`)} (1)`).join(' ,\n')]),
  ])
}

function page(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

/** Without a date: a page that is made again shall be the same. */
function head(title: string, { name, version }: Program): string {
  return `.\\" Made by npm run docs:cli from the descriptions of the commands.\n.TH ${literal(title.toUpperCase())} 1 "" "${name} ${version()}" "${name} manual"`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines]
}

function tagged(tag: string, text: string): string[] {
  return ['.TP', tag, prose(text)]
}

function bold(rows: readonly (readonly [string, string])[]): string[] {
  return rows.flatMap(([name, text]) => tagged(`\\fB${literal(name)}\\fR`, text))
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function quoted(text: string): string {
  return `"${literal(text)}"`
}

/** What somebody types: its hyphens stay hyphens, so that it can be copied from the page. */
function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq')
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped
}

/** Text in short lines, none of which is taken for a macro. One sentence begins a line: roff puts its own space behind a sentence. */
function prose(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replace(/(?<![\w-])--(?=\w)/g, '\\-\\-')
    .replace(/([.?!]) (?=[A-Z])/g, '$1\n')
    .split('\n')
    .flatMap((sentence) => wrap(sentence, 78))
    .map((line) => line.replace(/^(?=[.'])/, '\\&'))
    .join('\n')
}
