import type { CommandResult, Program } from '../command.js'
import { describe, type Values } from '../description.js'
import { findCommand } from '../find.js'
import { argument } from '../flags.js'
import { helpText, overview } from '../help.js'
import { styleOf } from '../style.js'
import { text } from '../values.js'

export const description = describe({
  name: 'help',
  summary: 'tells what a command does, or lists all of them',
  section: 'Finding out',
  arguments: {
    command: argument({ ...text('COMMAND'), completes: 'command' }, 'The command to explain.', { optional: true }),
  },
  flags: {},
  about: ['Prints the help of a command, as pipegate COMMAND --help does; without a command, a line for each.'],
  examples: [
    { run: 'pipegate help', does: 'all commands' },
    { run: 'pipegate help watch', does: 'what watch does, its flags and its exit codes' },
  ],
  exits: { 0: 'done', 2: 'there is no such command' },
})

/** `pipegate help [COMMAND]`. */
export async function run({ command }: Values<typeof description>, program: Program): Promise<CommandResult> {
  const style = styleOf(process.stdout)
  if (command === undefined) return { text: await overview(program, style), exitCode: 0 }
  const found = await findCommand(program, command).describe()
  return { text: helpText(found.description, style), exitCode: 0 }
}
