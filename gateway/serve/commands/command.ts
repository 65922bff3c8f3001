import type { Config } from '../../config/config.js'
import type { PluginEntry } from '../../config/plugin-entries.js'
import type { LoadedPlugin } from '../../host/loading/loaded-plugin.js'
import type { Reread } from '../configured-certificates.js'

/** What a command of the gateway works with. */
export interface CommandInput {
  readonly config: Config
  /** Where it came from, for the same another time. */
  readonly again: Reread
  /**
   * Loads the code of the configured plugins, and of others. @throws Error with a line for each that cannot be loaded
   * @param others besides those of the configuration
   */
  loadPlugins(others?: readonly PluginEntry[]): Promise<LoadedPlugin[]>
  /** Makes a token, and the configuration of auth-bearer that lets in who has it. */
  freshToken(): Promise<{ readonly token: string; readonly config: object }>
}

/** Runs a command, and returns the exit code. */
export type RunCommand = (input: CommandInput) => Promise<number>

/** Prints to standard output. Returns the exit code. */
export function print(text: string): number {
  process.stdout.write(text)
  return 0
}

/** Prints to standard output, or to standard error when the command failed. Returns the exit code. */
export function printOutcome({ text, exitCode }: { readonly text: string; readonly exitCode: number }): number {
  const out = exitCode === 0 ? process.stdout : process.stderr
  out.write(text)
  return exitCode
}
