import { lstatSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { ArchiveError } from './archive-error.js'
import type { Entry } from './entry.js'
import type { MayOverwrite } from './options.js'

/** Refuses an entry early, for which there is no place in a target that exists. `commit` looks again. */
export class TargetCheck {
  readonly #target: string
  readonly #overwrite: boolean | MayOverwrite
  /** The last folder that was looked at, and whether it is there. */
  #folder = ''
  #isThere = true

  constructor(target: string, overwrite: boolean | MayOverwrite) {
    this.#target = target
    this.#overwrite = overwrite
  }

  /** @throws ArchiveError */
  check({ path, kind }: Entry): void {
    if (path === '' || !this.#hasFolder(path.slice(0, Math.max(0, path.lastIndexOf('/'))))) return
    const found = this.#find(path, kind === 'folder')
    if (found && kind !== 'folder' && this.#overwrite === false) throw new ArchiveError(EXISTS, path)
  }

  #hasFolder(folder: string): boolean {
    if (folder === this.#folder) return this.#isThere
    this.#folder = folder
    this.#isThere = true
    for (let end = folder.indexOf('/'); this.#isThere; end = folder.indexOf('/', end + 1)) {
      this.#isThere = this.#find(end === -1 ? folder : folder.slice(0, end), true)
      if (end === -1) break
    }
    return this.#isThere
  }

  #find(path: string, isFolder: boolean): boolean {
    const found = lstatSync(join(this.#target, path), { throwIfNoEntry: false })
    const problem = found && clash(isFolder, found)
    if (problem !== undefined) throw new ArchiveError(problem, path)
    return found !== undefined
  }
}

export const EXISTS = 'is there already, and nothing is to be overwritten.'

/** Why this cannot take the place of what was found; undefined when it can. */
export function clash(isFolder: boolean, found: Stats): string | undefined {
  if (isFolder === found.isDirectory()) return undefined
  if (!isFolder) return 'would take the place of a folder that is there.'
  return `is a folder, and there is already a ${found.isSymbolicLink() ? 'link' : 'file'} of that name.`
}
