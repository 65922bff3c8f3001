import type { Description, Values } from '../../../client/cli/description.js'
import { readCommandLine } from '../../../client/cli/read.js'

/** What a command line gives its command. @throws WrongUsage, and for one that asks for help */
export function valuesOf<D extends Description>(description: D, argv: readonly string[]): Values<D> {
  const values = readCommandLine(description, argv)
  if (values === 'help' || values === 'version') throw new Error(`${argv.join(' ')} asks for its ${values}`)
  return values
}
