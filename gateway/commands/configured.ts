import type { CommandResult } from '../../client/cli/command.js'
import { type LoadedConfig, loadConfigWithOrigins, renderConfig } from '../config/config.js'
import { enabledPlugins, type PluginEntry, tokenPlugin } from '../config/plugin-entries.js'
import { type BundledPlugins, loadPlugins } from '../host/loading/loader.js'
import type { CommandInput, RunCommand } from './command-input.js'
import { flagValues } from './settings-flags.js'

/** The plugins that come with the program, and the names of those that are loaded without being asked for. */
export interface Plugins {
  readonly BUNDLED: BundledPlugins
  readonly DEFAULTS: readonly string[]
  readonly freshToken: CommandInput['freshToken']
}

/** Runs a command of the gateway with the configuration that flags, variables and the file come to. @throws ConfigError */
export async function configured(
  run: RunCommand,
  values: Readonly<Record<string, unknown>>,
  { BUNDLED, DEFAULTS, freshToken }: Plugins,
): Promise<CommandResult> {
  const read = () => loadConfigWithOrigins({ flags: flagValues(values), env: process.env })
  const began = read()
  const { config, origins, plugins } = began
  if (values.printConfig === true) return { text: renderConfig(config, origins) + pluginComment(plugins), exitCode: 0 }
  const file = config.tokenFile
  const tokens = file === undefined ? [] : [tokenPlugin(plugins, { file }, origins.tokenFile.name)]
  const wanted = (others: readonly PluginEntry[] = []) => enabledPlugins([...plugins, ...tokens, ...others], DEFAULTS)
  return run({
    config,
    again: { began, read },
    plugins: wanted,
    loadPlugins: (others) => loadPlugins(wanted(others), BUNDLED),
    freshToken,
  })
}

/** Plugins are only named: their configuration may hold secrets. */
function pluginComment(plugins: LoadedConfig['plugins']): string {
  return plugins.map(({ where }) => `# ${where}, not shown\n`).join('')
}
