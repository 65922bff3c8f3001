import { readFileSync } from 'node:fs'
import { type ReadFile, readConfigFile } from './file.js'
import type { Origin } from './origin.js'
import { type PluginEntry, pluginEntries } from './plugin-entries.js'
import type { Problem } from './problems/problems.js'
import { CLIENT_VARIABLES, FILE_OPTION, flagOf, VARIABLE_PREFIX, variableOf } from './setting-names.js'
import { isSetting, SETTING_KEYS, type SettingKey } from './settings.js'

/** The text given to each flag, not checked yet. */
export type FlagValues = { readonly [key in SettingKey | typeof FILE_OPTION.key]?: string }

/** Where a configuration comes from. */
export interface Sources {
  /** What the command line gave. */
  readonly flags: FlagValues
  /** `process.env`. Variables that do not begin with `PIPEGATE_` are ignored; an empty one counts as unset. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads the configuration file. Default: `readFileSync` as UTF-8. */
  readonly readFile?: ReadFile
}

/** One value that a source gives. `raw` is text, except in a file. */
export interface Entry {
  readonly key: string
  readonly raw: unknown
  readonly origin: Origin
}

/** The values that flags give. */
export function* flagEntries(flags: FlagValues): Generator<Entry> {
  for (const key of SETTING_KEYS) {
    const raw = flags[key]
    if (raw !== undefined) yield { key, raw, origin: { source: 'flag', name: flagOf(key) } }
  }
}

const KEY_OF_VARIABLE = new Map(SETTING_KEYS.map((key) => [variableOf(key), key]))

/** The values that variables give. */
export function* envEntries(env: Sources['env']): Generator<Entry> {
  for (const [name, raw] of Object.entries(env)) {
    if (!name.startsWith(VARIABLE_PREFIX) || raw === undefined || raw === '') continue
    if (name === variableOf(FILE_OPTION.key) || CLIENT_VARIABLES.includes(name)) continue
    // An unknown variable keeps its own name as its key, which no setting has.
    yield { key: KEY_OF_VARIABLE.get(name) ?? name, raw, origin: { source: 'env', name } }
  }
}

/** What the configuration file gives, if there is one. */
export interface FileEntries {
  readonly file: string | undefined
  readonly entries: readonly Entry[]
  readonly plugins: readonly PluginEntry[]
  readonly problems: readonly Problem[]
}

/** Reads the configuration file that a flag or a variable names. */
export function fileEntries({ flags, env, readFile }: Sources): FileEntries {
  const variable = variableOf(FILE_OPTION.key)
  const path = flags[FILE_OPTION.key] ?? (env[variable] || undefined)
  if (path === undefined) return { file: undefined, entries: [], plugins: [], problems: [] }
  const askedBy = flags[FILE_OPTION.key] === undefined ? variable : flagOf(FILE_OPTION.key)
  const content = readConfigFile(path, askedBy, readFile ?? ((file) => readFileSync(file, 'utf8')))
  const problems = content.problem === undefined ? [] : [content.problem]
  const plugins = pluginEntries(content.plugins, path, problems)
  // `key:` without a value is unset, as an empty variable is; --print-config writes settings without a value like that.
  const given = content.entries.filter(([key, raw]) => raw !== null || !isSetting(key))
  const origin: Origin = { source: 'file', name: path }
  return { file: path, entries: given.map(([key, raw]) => ({ key, raw, origin })), plugins, problems }
}
