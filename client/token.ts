import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { show } from '../gateway/http/parameters.js'
import { entrySchema } from '../plugins/auth-bearer/entries.js'
import { newToken } from '../plugins/auth-bearer/new-token.js'
import type { CommandResult } from './command.js'

const USAGE =
  'usage: pipegate token [--name NAME] [--project PROJECT] [--rights send,receive,watch] [--names PATTERN,...]'

/** `pipegate token`: prints a new token, and the entry that makes it known. The exit code is 2 for wrong arguments. */
export function tokenCommand(argv: readonly string[]): CommandResult {
  const given = read(argv)
  if (typeof given === 'string') return { text: `pipegate: ${given}\n${USAGE}\n`, exitCode: 2 }
  const { token, hash } = newToken()
  const entry = { ...given, name: given.name ?? `token-${hash.slice(7, 15)}`, hash }
  const checked = entrySchema.safeParse(entry)
  if (!checked.success) {
    const { path, message } = checked.error.issues[0]!
    return { text: `pipegate: --${String(path[0])}: ${message}\n${USAGE}\n`, exitCode: 2 }
  }
  const { name, ...rest } = entry
  const yaml = stringify([{ name, ...rest }], { lineWidth: 0, flowCollectionPadding: false })
  const remark = '# For "tokens" of the plugin auth-bearer, or for its file. The token above is not stored anywhere.'
  return { text: `${token}\n\n${remark}\n${yaml}`, exitCode: 0 }
}

/** The flags that were given. */
interface Given {
  name?: string
  project?: string
  rights?: string[]
  names?: string[]
}

/** @returns the flags, or what is wrong with them */
function read(argv: readonly string[]): Given | string {
  const text = { type: 'string' } as const
  try {
    const options = { name: text, project: text, rights: text, names: { ...text, multiple: true } } as const
    const { values } = parseArgs({ args: [...argv], options })
    const { name, project, rights, names } = values
    return {
      ...(name === undefined ? {} : { name }),
      ...(project === undefined ? {} : { project }),
      ...(rights === undefined ? {} : { rights: rights.split(',').map((each) => each.trim()) }),
      ...(names === undefined ? {} : { names: names.flatMap((each) => each.split(',')) }),
    }
  } catch (error) {
    return show((error as Error).message)
  }
}
