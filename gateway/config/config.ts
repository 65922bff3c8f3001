/**
 * Configuration: flags outrank the environment, the environment outranks the file, the file outranks the defaults.
 * The settings themselves are the table in settings.ts; nothing here knows more than a few of them by name.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { TlsFiles } from '../tls/certificate.js'
import { type ReadFile, readConfigFile } from './file.js'
import type { FlagValues } from './flags.js'
import { sizeText } from './kinds.js'
import type { PluginEntry } from './plugins.js'
import { pluginEntries } from './plugins.js'
import {
  badTogether,
  badValue,
  ConfigError,
  type Origin,
  type Problem,
  show,
  systemError,
  unknownName,
} from './problems.js'
import {
  about,
  type Config,
  FILE_OPTION,
  flagOf,
  isSetting,
  SETTING_KEYS,
  type SettingKey,
  settings,
  TOKEN_VARIABLE,
  VARIABLE_PREFIX,
  variableOf,
} from './settings.js'
import type { Origins } from './text.js'

export type { ReadFile } from './file.js'
export { type Command, type CommandLine, type FlagValues, parseCommandLine, UsageError } from './flags.js'
export { ConfigError, type Origin, type Problem } from './problems.js'
export type { Config, SettingKey } from './settings.js'
export { helpText, type Origins, renderConfig, settingsMarkdown } from './text.js'

/** Where a configuration is put together from. */
export interface Sources {
  /** `values` of {@link parseCommandLine}. */
  readonly flags: FlagValues
  /** `process.env`. Variables that do not begin with `PIPEGATE_` are not looked at; an empty one counts as unset. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads the configuration file. Default: `readFileSync` as UTF-8. */
  readonly readFile?: ReadFile
}

/** A configuration, and where each of its values came from. */
export interface Loaded {
  readonly config: Config
  readonly origins: Origins
  /** What the file says under `plugins`; none without a file. */
  readonly plugins: readonly PluginEntry[]
}

/**
 * The configuration in effect, frozen. Every given value is judged, also one that a higher source overrides: it would
 * come into effect, wrong, on the day the override is removed. Whether certificate and key can be read is asked of
 * those in effect only.
 *
 * @throws ConfigError with all problems of all sources at once.
 */
export function loadConfig(sources: Sources): Config {
  return loadConfigWithOrigins(sources).config
}

/** As {@link loadConfig}, with what `renderConfig` needs besides. */
export function loadConfigWithOrigins(sources: Sources): Loaded {
  const draft = new Draft()
  for (const entry of flagEntries(sources.flags)) draft.take(entry)
  for (const entry of envEntries(sources.env)) draft.take(entry)
  const plugins: PluginEntry[] = []
  for (const entry of fileEntries(sources, draft.problems, plugins)) draft.take(entry)
  return { ...draft.finish(), plugins }
}

/** One value that somebody gave. `raw` is text, except in a file. */
interface Entry {
  readonly key: string
  readonly raw: unknown
  readonly origin: Origin
}

function* flagEntries(flags: FlagValues): Generator<Entry> {
  for (const key of SETTING_KEYS) {
    const raw = flags[key]
    if (raw !== undefined) yield { key, raw, origin: { source: 'flag', name: flagOf(key) } }
  }
}

const KEY_OF_VARIABLE = new Map(SETTING_KEYS.map((key) => [variableOf(key), key]))

function* envEntries(env: Sources['env']): Generator<Entry> {
  for (const [name, raw] of Object.entries(env)) {
    if (!name.startsWith(VARIABLE_PREFIX) || raw === undefined || raw === '') continue
    if (name === variableOf(FILE_OPTION.key) || name === TOKEN_VARIABLE) continue
    // A variable that is unknown keeps its own name as its key, which no setting has.
    yield { key: KEY_OF_VARIABLE.get(name) ?? name, raw, origin: { source: 'env', name } }
  }
}

function* fileEntries(
  { flags, env, readFile }: Sources,
  problems: Problem[],
  plugins: PluginEntry[],
): Generator<Entry> {
  const variable = variableOf(FILE_OPTION.key)
  const path = flags[FILE_OPTION.key] ?? (env[variable] || undefined)
  if (path === undefined) return
  const askedBy = flags[FILE_OPTION.key] === undefined ? variable : flagOf(FILE_OPTION.key)
  const content = readConfigFile(path, askedBy, readFile ?? ((file) => readFileSync(file, 'utf8')))
  if (content.problem !== undefined) problems.push(content.problem)
  plugins.push(...pluginEntries(content.plugins, path, problems))
  for (const [key, raw] of content.entries) {
    // `key:` without a value is unset, as an empty variable is; so does --print-config write what has no value.
    if (raw !== null || !isSetting(key)) yield { key, raw, origin: { source: 'file', name: path } }
  }
}

/** What is wanted of a value that is still to be found: `undefined` until then. */
type Values = { -readonly [K in SettingKey]?: Config[K] }

/** A configuration that is being put together, the highest source first. */
class Draft {
  readonly problems: Problem[] = []
  /** The origin of the value that counts, good or bad. */
  readonly #origins = new Map<SettingKey, Origin>()
  /** Only the good ones. A key with an origin and without a value is one whose value is bad. */
  readonly #values: Record<string, unknown> = {}

  take(entry: Entry): void {
    const { key, origin } = entry
    if (!isSetting(key)) {
      this.problems.push(unknownName(origin, key))
      return
    }
    const result = settings.shape[key].safeParse(entry.raw)
    if (!result.success) this.problems.push(badValue(origin, key, show(entry.raw), about(key).expected))
    if (this.#origins.has(key)) return
    this.#origins.set(key, origin)
    if (result.success) this.#values[key] = located(key, result.data, origin)
  }

  finish(): Omit<Loaded, 'plugins'> {
    const defaults = settings.parse({})
    for (const key of SETTING_KEYS) if (!this.#origins.has(key)) this.#values[key] = defaults[key]
    this.#judgeTogether(this.#values as Values)
    if (this.problems.length > 0) throw new ConfigError(this.problems)
    const origins = SETTING_KEYS.map((key) => [key, this.#origins.get(key) ?? DEFAULT] as const)
    return {
      config: Object.freeze(this.#values as Config),
      origins: Object.freeze(Object.fromEntries(origins) as Record<SettingKey, Origin>),
    }
  }

  /** Rules that no setting can check on its own. A bad value is `undefined` here and has been reported before. */
  #judgeTogether(values: Values): void {
    if (values.prefix === '' && values.bareNames === false) {
      this.#conflict(['prefix', 'bareNames'], 'prefix off and bareNames false', 'at least one of them on')
    }
    if (values.window !== undefined && values.memory !== undefined && values.memory < values.window) {
      const found = `window ${sizeText(values.window)} and memory ${sizeText(values.memory)}`
      this.#conflict(['window', 'memory'], found, 'memory to be at least window')
    }
    this.#judgeTls(values)
  }

  #judgeTls(values: Values): void {
    const given = (['tlsCert', 'tlsKey'] as const).filter((key) => this.#origins.has(key))
    if (given.length === 1) {
      const missing = given[0] === 'tlsCert' ? 'tlsKey' : 'tlsCert'
      this.#conflict(given, `${given[0]} without ${missing}`, 'both or none')
    }
    for (const key of given) this.#judgeFile(key, values[key])
    for (const pair of values.tlsSni ?? []) {
      for (const path of [pair.cert, pair.key]) this.#judgeFile('tlsSni', path)
    }
    if (given.length > 0) this.#judgeRedirect(values)
    else this.#judgePlain(values)
  }

  #judgeRedirect({ port, redirectPort }: Values): void {
    if (redirectPort !== port || port === undefined || port === 0) return
    this.#conflict(['port', 'redirectPort'], `port ${port} and redirectPort ${port}`, 'two ports')
  }

  #judgePlain({ tlsSni = [], redirectPort }: Values): void {
    const both = 'tlsCert and tlsKey as well'
    if (tlsSni.length > 0) this.#conflict(['tlsSni'], 'tlsSni without tlsCert', both)
    if (redirectPort !== undefined) this.#conflict(['redirectPort'], 'redirectPort without tlsCert', both)
  }

  #judgeFile(key: SettingKey, path: string | undefined): void {
    const fault = path === undefined ? undefined : unreadable(path)
    if (fault === undefined) return
    this.problems.push(badValue(this.#origins.get(key)!, key, `${show(path)} (${fault})`, about(key).expected))
  }

  #conflict(keys: readonly SettingKey[], found: string, expected: string): void {
    const origins = keys.flatMap((key) => this.#origins.get(key) ?? [])
    this.problems.push(badTogether(origins, keys.join(', '), found, expected))
  }
}

const DEFAULT: Origin = Object.freeze({ source: 'default', name: 'default' })

/** A relative path in a file is relative to that file, so that it works wherever the program is started. */
function located(key: SettingKey, value: unknown, origin: Origin): unknown {
  const absolute = (path: string) => (origin.source === 'file' ? resolve(dirname(origin.name), path) : resolve(path))
  const { name } = about(key)
  if (name === 'path') return absolute(value as string)
  if (name !== 'pairs') return value
  return (value as readonly TlsFiles[]).map(({ cert, key }) => ({ cert: absolute(cert), key: absolute(key) }))
}

/** Why a file cannot be read; it is not opened, for a named pipe can be read only once. */
function unreadable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK)
    return statSync(path).isDirectory() ? 'a directory' : undefined
  } catch (error) {
    return systemError(error)
  }
}
