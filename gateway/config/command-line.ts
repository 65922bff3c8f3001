import { parseArgs } from 'node:util'
import { nearest } from './problems/did-you-mean.js'
import { show } from './problems/show.js'
import { FILE_OPTION, flagOf, SWITCHES, type SwitchName } from './setting-names.js'
import { isSetting, SETTING_KEYS, type SettingKey, settingInfo } from './settings.js'

const COMMANDS = ['serve', 'check', 'health'] as const

/** The commands that take the gateway's configuration. */
export type Command = (typeof COMMANDS)[number]

/** The text given to each flag, not checked yet. */
export type FlagValues = { readonly [key in SettingKey | typeof FILE_OPTION.key]?: string }

/** A parsed command line. */
export interface CommandLine {
  readonly command: Command
  readonly values: FlagValues
  readonly switches: Readonly<Record<SwitchName, boolean>>
}

/** A command line that cannot be understood. The program should exit with {@link exitCode}. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly exitCode = 2
  /** There were no arguments at all: the help text is more useful than the message. */
  readonly showHelp: boolean

  constructor(message: string, showHelp = false) {
    super(message)
    this.showHelp = showHelp
  }
}

type FlagKey = SettingKey | typeof FILE_OPTION.key
type Draft = { values: { [key in FlagKey]?: string }; switches: Record<SwitchName, boolean>; positionals: string[] }

/** One flag as parseArgs reports it. `inline`: the value came with an equals sign. */
interface Given {
  readonly raw: string
  readonly name: string
  readonly value: string | undefined
  readonly inline: boolean
}

const KEY_OF_FLAG = new Map<string, FlagKey>([...SETTING_KEYS, FILE_OPTION.key].map((key) => [flagName(key), key]))
const SWITCH_OF_FLAG = new Map((Object.keys(SWITCHES) as SwitchName[]).map((name) => [flagName(name), name]))

function flagName(key: string): string {
  return flagOf(key).slice(2)
}

function isBoolean(key: FlagKey): boolean {
  return isSetting(key) && settingInfo(key).name === 'boolean'
}

function optionTypes(): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  const types: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  }
  for (const [flag, key] of KEY_OF_FLAG) types[flag] = { type: isBoolean(key) ? 'boolean' : 'string' }
  return types
}

/**
 * Parses `process.argv.slice(2)`. Values stay text: `loadConfig` checks them together with those from other sources.
 * The last of a repeated flag counts. With `--help`, `--version` or `--print-config` the command may be left out.
 *
 * @throws UsageError for an unknown flag or command, a missing or unwanted value, a stray argument, or no command.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const draft: Draft = { values: {}, switches: { printConfig: false, help: false, version: false }, positionals: [] }
  // Not strict: its messages suggest no flag, and it has no `--bare-names=false`. Every token is checked below instead.
  const { tokens } = parseArgs({ args: [...argv], options: optionTypes(), strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'positional') draft.positionals.push(token.value)
    if (token.kind !== 'option') continue
    take(draft, { raw: token.rawName, name: token.name, value: token.value, inline: token.inlineValue === true })
  }
  const command = commandOf(draft, argv.length === 0)
  return { command, values: draft.values, switches: draft.switches }
}

function take(draft: Draft, given: Given): void {
  const chosen = SWITCH_OF_FLAG.get(given.name)
  if (chosen !== undefined) {
    refuseValue(given)
    draft.switches[chosen] = true
    return
  }
  const key = KEY_OF_FLAG.get(given.name)
  if (key !== undefined) draft.values[key] = isBoolean(key) ? (given.value ?? 'true') : textOf(given)
  else takeNegated(draft, given)
}

function takeNegated(draft: Draft, given: Given): void {
  const key = given.name.startsWith('no-') ? KEY_OF_FLAG.get(given.name.slice(3)) : undefined
  if (key === undefined || !isBoolean(key)) throw unknownFlag(given)
  refuseValue(given)
  draft.values[key] = 'false'
}

function textOf(given: Given): string {
  const { raw, value, inline } = given
  if (value === undefined) throw new UsageError(`${raw} needs a value`)
  // In `--config --port 80` the file was forgotten; it does not mean a file named "--port".
  if (!inline && value.length > 1 && value.startsWith('-')) {
    throw new UsageError(`${raw} needs a value; if ${show(value)} is one, write it as ${raw}=VALUE`)
  }
  return value
}

function refuseValue(given: Given): void {
  if (given.value !== undefined) throw new UsageError(`${given.raw} takes no value`)
}

function unknownFlag(given: Given): UsageError {
  const near = nearest(given.name, [...KEY_OF_FLAG.keys(), ...SWITCH_OF_FLAG.keys()])
  return new UsageError(`unknown flag ${given.raw}${near === undefined ? '' : `; did you mean --${near}?`}`)
}

function commandOf(draft: Draft, nothingGiven: boolean): Command {
  const [command, stray] = draft.positionals
  if (command !== undefined && !isCommand(command)) {
    const near = nearest(command, [...COMMANDS])
    const hint = near === undefined ? `the commands are ${COMMANDS.join(', ')}` : `did you mean ${near}?`
    throw new UsageError(`unknown command ${show(command)}; ${hint}`)
  }
  if (stray !== undefined) throw new UsageError(`unexpected argument ${show(stray)}`)
  if (command === undefined && !Object.values(draft.switches).includes(true)) {
    throw new UsageError('no command given; to start the server: pipegate serve', nothingGiven)
  }
  return command ?? 'serve'
}

function isCommand(text: string): text is Command {
  return (COMMANDS as readonly string[]).includes(text)
}
