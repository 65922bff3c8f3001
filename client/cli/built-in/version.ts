import type { CommandResult, Program } from '../command.js'
import { describe, type Values } from '../description.js'

export const description = describe({
  name: 'version',
  summary: 'prints the version',
  section: 'Finding out',
  arguments: {},
  flags: {},
  about: ['Prints the version of the program and nothing else, as pipegate --version does.'],
  examples: [
    { run: 'pipegate version', does: 'the version' },
    { run: 'echo "$(pipegate version) on Node $(node --version)"', does: 'for a report' },
  ],
  exits: { 0: 'done', 2: 'wrong usage' },
})

/** `pipegate version`. */
export function run(_: Values<typeof description>, program: Program): CommandResult {
  return { text: `${program.version()}\n`, exitCode: 0 }
}
