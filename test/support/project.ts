/** Where the project is, and its files. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where package.json is, and `npm start` works. */
export const PROJECT = fileURLToPath(new URL('../../../', import.meta.url))

/** The compiled command. */
export const MAIN = fileURLToPath(new URL('../../gateway/main.js', import.meta.url))

/** The text of a file of the project, by its path from the root: `docs/protocol.md`. */
export function readProject(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8')
}
