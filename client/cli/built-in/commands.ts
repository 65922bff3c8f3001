import type { Command } from '../command.js'

/** Commands that every program has. */
export const BUILT_IN_COMMANDS: Readonly<Record<string, Command>> = {
  help: { describe: () => import('./help.js'), load: () => import('./help.js') },
  completion: { describe: () => import('./completion-description.js'), load: () => import('./completion.js') },
  version: { describe: () => import('./version.js'), load: () => import('./version.js') },
}
