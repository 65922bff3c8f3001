import type { CommandResult } from '../../client/cli/command.js'
import type { Config } from '../config/config.js'
import type { PluginEntry } from '../config/plugin-entries.js'
import type { LoadedPlugin } from '../host/loading/loaded-plugin.js'
import type { Reread } from '../serve/configured-certificates.js'

/** What a command of the gateway works with. */
export interface CommandInput {
  readonly config: Config
  /** Where it came from, for the same another time. */
  readonly again: Reread
  /** The plugins to load, and what the configuration says for them. @param others as for `loadPlugins` */
  plugins(others?: readonly PluginEntry[]): readonly PluginEntry[]
  /**
   * Loads the code of the configured plugins, and of others. @throws Error with a line for each that cannot be loaded
   * @param others besides those of the configuration
   */
  loadPlugins(others?: readonly PluginEntry[]): Promise<LoadedPlugin[]>
  /** Makes a token, and the configuration of auth-bearer that lets in who has it. */
  freshToken(): Promise<{ readonly token: string; readonly config: object }>
}

/** Runs a command. */
export type RunCommand = (input: CommandInput) => Promise<CommandResult>
