/**
 * Configuration: flags outrank the environment, the environment outranks the file, the file outranks the defaults.
 * The settings themselves are the table in settings.ts.
 */
import { ConfigBuilder } from './builder.js'
import type { Origins } from './origin.js'
import type { PluginEntry } from './plugin-entries.js'
import type { Config } from './settings.js'
import { envEntries, fileEntries, flagEntries, type Sources } from './sources.js'

export type { ReadFile } from './file.js'
export type { Origin, Origins } from './origin.js'
export { settingsMarkdown } from './print/markdown.js'
export { renderConfig } from './print/yaml.js'
export { ConfigError, type Problem } from './problems/problems.js'
export { type Config, SETTING_KEYS, type SettingKey } from './settings.js'
export type { FlagValues, Sources } from './sources.js'

/** A configuration, and where each of its values came from. */
export interface LoadedConfig {
  readonly config: Config
  readonly origins: Origins
  /** The path of the file, if there is one. */
  readonly file: string | undefined
  /** The entries under `plugins` in the file; none without a file. */
  readonly plugins: readonly PluginEntry[]
}

/**
 * The configuration in effect, frozen. Every given value is checked, also one that a higher source overrides: otherwise
 * it would take effect, wrong, on the day the override is removed. Whether certificates and keys can be read is checked
 * for those in effect only.
 *
 * @throws ConfigError with all problems of all sources at once.
 */
export function loadConfig(sources: Sources): Config {
  return loadConfigWithOrigins(sources).config
}

/** Like {@link loadConfig}, with the origins that `renderConfig` needs, and the plugins. */
export function loadConfigWithOrigins(sources: Sources): LoadedConfig {
  const builder = new ConfigBuilder()
  for (const entry of flagEntries(sources.flags)) builder.add(entry)
  for (const entry of envEntries(sources.env)) builder.add(entry)
  const { file, entries, plugins, problems } = fileEntries(sources)
  builder.problems.push(...problems)
  for (const entry of entries) builder.add(entry)
  return { ...builder.build(), file, plugins }
}
