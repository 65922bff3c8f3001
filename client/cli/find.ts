import { nearest } from '../../gateway/config/problems/did-you-mean.js'
import { show } from '../../gateway/config/problems/show.js'
import type { Command, Program } from './command.js'
import { WrongUsage } from './wrong-usage.js'

/** The command of this name. @throws WrongUsage, which names the nearest one, or says where they are listed */
export function findCommand({ name, commands }: Program, word: string): Command {
  const found = Object.hasOwn(commands, word) ? commands[word] : undefined
  if (found !== undefined) return found
  const [bare = ''] = word.replace(/^-+/, '').split('=', 1)
  const near = nearest(bare, Object.keys(commands))
  const hint = near === undefined ? `${name} help lists the commands` : `did you mean ${name} ${near}?`
  if (!word.startsWith('-')) throw new WrongUsage(`unknown command ${show(withoutCredentials(word))}; ${hint}`)
  const flag = show(word.split('=', 1)[0]).slice(1, -1)
  throw new WrongUsage(`found the flag ${flag} where the command has to be; ${hint}`)
}

/** An address in place of a command may have a password in it. */
function withoutCredentials(word: string): string {
  return word.replace(/[^/\s]*@/, '…@')
}
