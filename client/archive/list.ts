import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from './archive-error.js'
import { type FileSummary, wholeMilliseconds } from './entry.js'
import { isIncoming, placesOf } from './part-folder.js'

/**
 * The files that came whole the last time, for the sender's `skip`. Empty when nothing is left of a last time.
 * @param root as for `unpack`; the paths begin with it, as they do in the archive
 * @returns in no particular order
 */
export function list(target: string, root = ''): FileSummary[] {
  const { part } = placesOf(target)
  const files: FileSummary[] = []
  visit(part, root, files, true)
  return files
}

function visit(folder: string, path: string, files: FileSummary[], isPart: boolean): void {
  for (const entry of entriesOf(folder)) {
    const here = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory()) visit(join(folder, entry.name), here, files, false)
    else if (entry.isFile() && !(isPart && isIncoming(entry.name))) {
      const { size, mtimeMs, mode } = lstatSync(join(folder, entry.name))
      files.push({ path: here, size, mtimeMs: wholeMilliseconds(mtimeMs), mode: mode & 0o777 })
    }
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
