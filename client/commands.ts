import type { Command } from './cli/command.js'

/** The commands that people run against a gateway. None is loaded into memory before it is asked for. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  send: { describe: () => import('./send/description.js'), load: () => import('./send/command.js') },
  receive: { describe: () => import('./receive/description.js'), load: () => import('./receive/command.js') },
  watch: { describe: () => import('./watch/description.js'), load: () => import('./watch/command.js') },
  forward: { describe: () => import('./forward/description.js'), load: () => import('./forward/command.js') },
  link: { describe: () => import('./link/description.js'), load: () => import('./link/command.js') },
  token: { describe: () => import('./token/description.js'), load: () => import('./token/command.js') },
  doctor: { describe: () => import('./doctor/description.js'), load: () => import('./doctor/command.js') },
}
