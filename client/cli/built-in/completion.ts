import type { CommandResult, Program } from '../command.js'
import { bashCompletion } from '../completion/bash.js'
import { fishCompletion } from '../completion/fish.js'
import { zshCompletion } from '../completion/zsh.js'
import type { Values } from '../description.js'
import { descriptionsOf } from '../help.js'
import type { description } from './completion-description.js'

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

/** `pipegate completion SHELL`: prints what teaches a shell the commands, their flags and their values. */
export async function run({ shell }: Values<typeof description>, program: Program): Promise<CommandResult> {
  return { text: SCRIPTS[shell](await descriptionsOf(program)), exitCode: 0 }
}
