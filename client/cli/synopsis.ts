import { BUILT_IN } from './built-in-flags.js'
import { type Description, flagOf } from './description.js'
import type { Argument, Flag } from './flags.js'

/** A flag as the help and the man page list it. */
export interface FlagLine {
  readonly short: string | undefined
  /** `--port`, or `--[no-]bare-names`. */
  readonly long: string
  readonly metavar: string | undefined
  /** The sentences, with the default behind them in brackets. */
  readonly help: string
  readonly group: string
}

/** The lines of a command's flags in their groups, in the order of the description. */
export function flagLines({ flags }: Description): Map<string, FlagLine[]> {
  const groups = new Map<string, FlagLine[]>()
  const all = Object.entries(flags).map(([key, flag]) => flagLine(key, flag))
  for (const line of all) groups.set(line.group, [...(groups.get(line.group) ?? []), line])
  const help = {
    short: BUILT_IN.help,
    long: '--help',
    metavar: undefined,
    help: 'Print this help and exit.',
    group: 'Flags',
  }
  groups.set('Flags', [...(groups.get('Flags') ?? []), help])
  return groups
}

function flagLine(key: string, flag: Flag): FlagLine {
  const long = flag.kind === 'toggle' ? flagOf(key).replace('--', '--[no-]') : flagOf(key)
  const metavar = flag.kind === 'single' || flag.kind === 'list' ? flag.type.metavar : undefined
  return { short: flag.short, long, metavar, help: sentences(flag), group: flag.group ?? 'Flags' }
}

function sentences(flag: Flag): string {
  const again = flag.kind === 'list' ? ' May be given more than once.' : ''
  const otherwise = flag.otherwise ?? (flag.kind === 'single' ? flag.fallback : undefined)
  return flag.help + again + (otherwise ? ` [${otherwise}]` : '')
}

/** `pipegate link URL --secret-file FILE [flags]`. */
export function synopsis({ name, arguments: wanted, flags }: Description): string {
  const words = Object.values(wanted).map(argumentWord)
  const required = Object.entries(flags).flatMap(([key, flag]) =>
    flag.kind === 'single' && flag.required ? [`${flagOf(key)} ${flag.type.metavar}`] : [],
  )
  return ['pipegate', name, ...words, ...required, ...(Object.keys(flags).length > 0 ? ['[flags]'] : [])].join(' ')
}

function argumentWord({ type, optional, repeated }: Argument): string {
  const word = repeated ? `${type.metavar}...` : type.metavar
  return optional ? `[${word}]` : word
}
