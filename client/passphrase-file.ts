import { readFileSync } from 'node:fs'
import { WrongUsage } from './cli/wrong-usage.js'

/** @throws WrongUsage */
export function firstLineOf(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUsage(`--passphrase-file: it cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const [line = ''] = text.split(/\r?\n/, 1)
  if (line === '') throw new WrongUsage('--passphrase-file: its first line is empty')
  return line
}
