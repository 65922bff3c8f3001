import { bridge } from './bridge.js'
import type { Command } from './command.js'

/** Commands of the program besides those that serve. None is loaded into memory before it is asked for. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  token: async () => (await import('./token.js')).tokenCommand,
  link: async () => (await import('./link.js')).linkCommand,
  watch: async () => (await import('./watch/command.js')).watchCommand,
  doctor: async () => (await import('./doctor/command.js')).doctorCommand,
  send: async () =>
    bridge((await import('./send/description.js')).description, (await import('./send/command.js')).run),
  receive: async () =>
    bridge((await import('./receive/description.js')).description, (await import('./receive/command.js')).run),
}
