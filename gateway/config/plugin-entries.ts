import { z } from 'zod'
import { badFile, ConfigError, type Problem } from './problems/problems.js'
import { printable } from './problems/show.js'

/** One entry of `plugins` in a configuration file. */
export interface PluginEntry {
  /** A bundled plugin's name, an npm package, or a file: `./gate.js`, `/etc/pipegate/gate.mjs`. */
  readonly plugin: string
  readonly config: unknown
  readonly enabled: boolean
  /** For messages: `pipegate.yaml: plugins[2]`. */
  readonly where: string
  /** The file that has this entry: a plugin's file or package is looked for from there. */
  readonly from: string
}

const entry = z.union([
  z.string().min(1),
  z.strictObject({
    plugin: z.string().min(1),
    config: z.record(z.string(), z.unknown()).nullish(),
    enabled: z.boolean().default(true),
  }),
])

/**
 * Reads `plugins` of a configuration file: a list of names, or of `{ plugin, config, enabled }`.
 * @param path the configuration file
 */
export function pluginEntries(raw: unknown, path: string, problems: Problem[]): PluginEntry[] {
  if (raw === null || raw === undefined) return []
  if (!Array.isArray(raw)) {
    problems.push(badFile(`${path}: plugins`, 'no list', 'a list of plugins'))
    return []
  }
  return raw.flatMap((each, i) => {
    const where = `${printable(path)}: plugins[${i}]`
    const result = entry.safeParse(each)
    if (!result.success) {
      problems.push(badFile(where, found(each), 'the name of a plugin, or a mapping with plugin, config and enabled'))
      return []
    }
    const { data } = result
    const { plugin, config, enabled } = typeof data === 'string' ? { plugin: data, config: {}, enabled: true } : data
    return [{ plugin, config: config ?? {}, enabled, where: `${where} (${printable(plugin)})`, from: path }]
  })
}

/** The plugin that the setting `tokenFile` is for. */
const TOKENS = 'auth-bearer'

/**
 * An entry for the plugin that asks for tokens, which stands in no file.
 * @param entries what the file has
 * @throws ConfigError when that plugin is among them, with tokens of its own
 */
export function tokenPlugin(entries: readonly PluginEntry[], config: object, where: string): PluginEntry {
  const other = entries.find(({ plugin, enabled }) => plugin === TOKENS && enabled)
  if (other !== undefined)
    throw new ConfigError([badFile(other.where, `this plugin and ${where}`, 'one of them, with all tokens')])
  return { plugin: TOKENS, config, enabled: true, where, from: '.' }
}

/** The plugins to load: those that the file enables, and the defaults that it does not mention. */
export function enabledPlugins(entries: readonly PluginEntry[], defaults: readonly string[]): PluginEntry[] {
  const unmentioned = defaults.filter((name) => entries.every(({ plugin }) => plugin !== name))
  return [
    ...entries.filter(({ enabled }) => enabled),
    ...unmentioned.map((plugin) => ({ plugin, config: {}, enabled: true, where: `${plugin} (a default)`, from: '.' })),
  ]
}

/** Never a value, since a plugin's configuration may hold secrets. */
function found(each: unknown): string {
  if (Array.isArray(each)) return 'a list'
  if (typeof each !== 'object' || each === null) return `a ${typeof each}`
  return `a mapping with the keys ${printable(Object.keys(each).join(', ')) || '(none)'}`
}
