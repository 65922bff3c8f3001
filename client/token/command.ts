import { stringify } from 'yaml'
import { entrySchema } from '../../plugins/auth-bearer/entries.js'
import { newToken } from '../../plugins/auth-bearer/new-token.js'
import type { CommandResult } from '../cli/command.js'
import type { Values } from '../cli/description.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import type { description } from './description.js'

/** `pipegate token`: prints a new token, and the entry that makes it known. @throws WrongUsage */
export function run(values: Values<typeof description>): CommandResult {
  const { token, hash } = newToken()
  const entry = { name: values.name ?? `token-${hash.slice(7, 15)}`, ...limits(values), hash }
  const checked = entrySchema.safeParse(entry)
  if (!checked.success) {
    const { path, message } = checked.error.issues[0]!
    throw new WrongUsage(`--${String(path[0])}: ${message}`)
  }
  const yaml = stringify([entry], { lineWidth: 0, flowCollectionPadding: false })
  const remark = '# For "tokens" of the plugin auth-bearer, or for its file. The token above is not stored anywhere.'
  return { text: `${token}\n\n${remark}\n${yaml}`, exitCode: 0 }
}

/** What was said of it; what was not said stands nowhere. */
function limits({ project, rights, names }: Values<typeof description>): object {
  return {
    ...(project === undefined ? {} : { project }),
    ...(rights === undefined ? {} : { rights: rights.split(',').map((each) => each.trim()) }),
    ...(names.length === 0 ? {} : { names: names.flatMap((each) => each.split(',')) }),
  }
}
