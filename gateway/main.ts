#!/usr/bin/env node
import './serve/v8-flags.js'
import { COMMANDS } from '../client/commands.js'
import { BUNDLED, DEFAULTS, freshToken } from '../plugins/bundled.js'
import {
  type Command,
  ConfigError,
  helpText,
  type LoadedConfig,
  loadConfigWithOrigins,
  parseCommandLine,
  renderConfig,
  UsageError,
} from './config/config.js'
import { enabledPlugins, type PluginEntry, tokenPlugin } from './config/plugin-entries.js'
import { loadPlugins } from './host/loading/loader.js'
import { print, printOutcome, type RunCommand } from './serve/commands/command.js'
import { health } from './serve/commands/health.js'
import { packageVersion } from './serve/package-version.js'

/** The engine is loaded with the commands that need it: the others work where it does not. */
const RUN: Readonly<Record<Command, RunCommand>> = {
  serve: async (loaded) => (await import('./serve/commands/serve.js')).serve(loaded),
  check: async (loaded) => (await import('./serve/commands/check.js')).check(loaded),
  health,
}

/** The program: runs the command that the command line names. Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [first = '', ...rest] = args
  if (Object.hasOwn(COMMANDS, first)) return printOutcome(await (await COMMANDS[first]!())(rest))
  const line = parseCommandLine(args)
  const { help, version, printConfig } = line.switches
  if (help) return print(helpText())
  if (version) return print(`${packageVersion()}\n`)
  const read = () => loadConfigWithOrigins({ flags: line.values, env: process.env })
  const began = read()
  const { config, origins, plugins } = began
  if (printConfig) return print(renderConfig(config, origins) + pluginComment(plugins))
  const file = config.tokenFile
  const tokens = file === undefined ? [] : [tokenPlugin(plugins, { file }, origins.tokenFile.name)]
  return RUN[line.command]({
    config,
    again: { began, read },
    loadPlugins: (others: readonly PluginEntry[] = []) =>
      loadPlugins(enabledPlugins([...plugins, ...tokens, ...others], DEFAULTS), BUNDLED),
    freshToken,
  })
}

/** Plugins are only named: their configuration may hold secrets. */
function pluginComment(plugins: LoadedConfig['plugins']): string {
  return plugins.map(({ where }) => `# ${where}, not shown\n`).join('')
}

/** Prints an error: one line on what the user can correct. Returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(error.showHelp ? helpText() : `pipegate: ${error.message}\n`)
    return error.exitCode
  }
  process.stderr.write(`pipegate: ${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof ConfigError ? error.exitCode : 1
}

process.exitCode = await main(process.argv.slice(2)).catch(explain)
process.exit()
