import { BUILT_IN_COMMANDS } from '../client/cli/built-in/commands.js'
import type { Program } from '../client/cli/command.js'
import { COMMANDS } from '../client/commands.js'
import { gatewayCommands } from './commands/commands.js'
import { packageVersion } from './serve/package-version.js'

/** All commands, of which only what is asked for is loaded. */
export const PROGRAM: Program = {
  name: 'pipegate',
  summary: "One HTTP request's body becomes another request's response.",
  commands: { ...COMMANDS, ...gatewayCommands(() => import('../plugins/bundled.js')), ...BUILT_IN_COMMANDS },
  version: packageVersion,
}
