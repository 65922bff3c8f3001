import { parseArgs } from 'node:util'
import { nearest } from '../../gateway/config/problems/did-you-mean.js'
import { show } from '../../gateway/config/problems/show.js'
import { readArguments } from './arguments.js'
import { BUILT_IN, type BuiltIn } from './built-in-flags.js'
import { type Description, flagOf, type Values } from './description.js'
import type { Flag, Flags } from './flags.js'
import { readValue } from './read-value.js'
import { WrongUsage } from './wrong-usage.js'

/** One flag as parseArgs reports it. `inline`: the value came in the same word. */
interface Given {
  readonly raw: string
  readonly name: string
  readonly value: string | undefined
  readonly inline: boolean
}

/**
 * Reads what stands behind the name of a command.
 *
 * `--help` and `--version` outrank whatever else is there, wrong or not: who asks for help may not know better yet.
 * @throws WrongUsage for an unknown flag, a missing, wrong or unwanted value, and too few or too many arguments
 */
export function readCommandLine<D extends Description>(description: D, argv: readonly string[]): Values<D> | BuiltIn {
  const { flags } = description
  // Not strict: its messages suggest nothing and may quote a secret, and it knows no `--x=false`. All is checked below instead.
  const { tokens } = parseArgs({ args: [...argv], options: optionsOf(flags), strict: false, tokens: true })
  const given = tokens.filter((token) => token.kind === 'option').map(toGiven)
  for (const { name, inline } of given) if (Object.hasOwn(BUILT_IN, name) && !inline) return name as BuiltIn
  const words = tokens.filter((token) => token.kind === 'positional').map(({ value }) => value)
  return { ...readFlags(flags, given), ...readArguments(description.arguments, words) } as Values<D>
}

interface Option {
  type: 'string' | 'boolean'
  short?: string
}

function optionsOf(flags: Flags): Record<string, Option> {
  const options: Record<string, Option> = {}
  for (const [name, short] of Object.entries(BUILT_IN)) options[name] = { type: 'boolean', short }
  for (const [key, flag] of Object.entries(flags)) {
    const type = flag.kind === 'single' || flag.kind === 'list' ? 'string' : 'boolean'
    options[nameOf(key)] = flag.short === undefined ? { type } : { type, short: flag.short }
  }
  return options
}

function nameOf(key: string): string {
  return flagOf(key).slice(2)
}

function toGiven(token: {
  rawName: string
  name: string
  value?: string | undefined
  inlineValue?: boolean | undefined
}) {
  // Of `--=x` the whole word is called the name, and what is behind the sign may be a secret.
  const raw = token.rawName.replace(/=.*$/s, '=')
  return { raw, name: token.name, value: token.value, inline: token.inlineValue === true }
}

function readFlags(flags: Flags, given: readonly Given[]): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [key, flag] of Object.entries(flags)) values[key] = initial(key, flag)
  const byName = new Map(Object.entries(flags).map(([key, flag]) => [nameOf(key), { key, flag }]))
  for (const each of given) {
    if (Object.hasOwn(BUILT_IN, each.name)) refuseValue(each)
    const found = byName.get(each.name)
    if (found === undefined) negate(byName, each, values)
    else take(found.key, found.flag, each, values)
  }
  for (const [key, flag] of Object.entries(flags)) {
    if (flag.kind !== 'single' || !flag.required || values[key] !== undefined) continue
    throw new WrongUsage(`${flagOf(key)} ${flag.type.metavar} is missing`)
  }
  return values
}

function initial(key: string, flag: Flag): unknown {
  if (flag.kind === 'switch') return false
  if (flag.kind === 'list') return []
  return flag.kind === 'single' && flag.fallback !== undefined
    ? readValue(flagOf(key), flag.type, flag.fallback)
    : undefined
}

function take(key: string, flag: Flag, given: Given, values: Record<string, unknown>): void {
  const { raw, value } = given
  if (flag.kind === 'switch') {
    refuseValue(given)
    values[key] = true
  } else if (flag.kind === 'toggle') values[key] = readValue(raw, flag.type, value ?? 'true')
  else if (flag.kind === 'single') values[key] = readValue(raw, flag.type, textOf(given, flag))
  else (values[key] as unknown[]).push(readValue(raw, flag.type, textOf(given, flag)))
}

function negate(
  byName: ReadonlyMap<string, { readonly key: string; readonly flag: Flag }>,
  given: Given,
  values: Record<string, unknown>,
): void {
  const found = given.name.startsWith('no-') ? byName.get(given.name.slice(3)) : undefined
  if (found?.flag.kind !== 'toggle') throw unknownFlag(given, [...byName.keys()])
  refuseValue(given)
  values[found.key] = readValue(given.raw, found.flag.type, 'false')
}

function textOf({ raw, value, inline }: Given, flag: { readonly type: { readonly secret?: true } }): string {
  if (value === undefined) throw new WrongUsage(`${raw} needs a value`)
  // In `--config --port 80` the file was forgotten; it does not mean a file named "--port".
  if (!inline && value.length > 1 && value.startsWith('-')) {
    const found = flag.type.secret ? 'what follows' : show(value)
    throw new WrongUsage(
      `${raw} needs a value; if ${found} is one, write it as ${raw}${raw.startsWith('--') ? '=' : ''}VALUE`,
    )
  }
  return value
}

function refuseValue({ raw, value }: Given): void {
  if (value !== undefined) throw new WrongUsage(`${raw} takes no value`)
}

function unknownFlag({ raw, name }: Given, names: readonly string[]): WrongUsage {
  const near = raw.startsWith('--') ? nearest(name, [...names, ...Object.keys(BUILT_IN)]) : undefined
  return new WrongUsage(
    `unknown flag ${show(raw).slice(1, -1)}${near === undefined ? '' : `; did you mean --${near}?`}`,
  )
}
