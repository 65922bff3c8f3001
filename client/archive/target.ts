import { lstatSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { ArchiveError } from './archive-error.js'
import type { Entry } from './entry.js'
import type { MayOverwrite } from './options.js'

/** Refuses an entry early, for which there is no place in a target that exists. `commit` looks again. */
export function refuseExisting(target: string, { path, kind }: Entry, overwrite: boolean | MayOverwrite): void {
  if (path === '') return
  const found = lstatSync(join(target, path), { throwIfNoEntry: false })
  if (found === undefined) return
  const problem = clash(kind === 'folder', found) ?? (kind !== 'folder' && overwrite === false ? EXISTS : undefined)
  if (problem !== undefined) throw new ArchiveError(problem, path)
}

export const EXISTS = 'is there already, and nothing is to be overwritten.'

/** Why this cannot take the place of what was found; undefined when it can. */
export function clash(isFolder: boolean, found: Stats): string | undefined {
  if (isFolder === found.isDirectory()) return undefined
  if (!isFolder) return 'would take the place of a folder that is there.'
  return `is a folder, and there is already a ${found.isSymbolicLink() ? 'link' : 'file'} of that name.`
}
