import { chmodSync, lstatSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { ArchiveError, asArchiveError } from './archive-error.js'
import { asSeconds } from './entry.js'
import type { MayOverwrite } from './options.js'
import type { Places } from './part-folder.js'
import { Place } from './place.js'
import { clash, EXISTS } from './target.js'
import type { Folders } from './unpacker.js'

/**
 * Puts what lies in the part folder into its place: renames it, or, with a target that is there, moves what is new and
 * replaces what may be replaced. All is looked at before anything is moved.
 * @throws ArchiveError
 */
export async function commit(places: Places, folders: Folders, overwrite: boolean | MayOverwrite): Promise<void> {
  const { target, part } = places
  const from = new Place(part)
  try {
    if (lstatSync(target, { throwIfNoEntry: false }) === undefined) {
      finishFolders(from, folders, () => true)
      moveAll(part, target)
      return
    }
    const to = new Place(target)
    try {
      await new Merge(from, to, overwrite).run(folders)
    } finally {
      to.close()
    }
    rmSync(part, { recursive: true, force: true })
  } finally {
    from.close()
  }
}

function moveAll(part: string, target: string): void {
  try {
    renameSync(part, target)
  } catch (error) {
    throw asArchiveError(error, 'cannot be given its name', target)
  }
}

/** Gives folders their bits and times: from the inside, because both change, or forbid, what is done inside. */
function finishFolders(place: Place, folders: Folders, isNew: (path: string) => boolean): void {
  const mask = process.umask()
  for (const path of [...folders.keys()].sort().reverse()) {
    if (!isNew(path)) continue
    const { mode, mtimeMs } = folders.get(path)!
    const at = place.enter(path)
    try {
      chmodSync(at, mode & ~mask)
      if (mtimeMs !== undefined) utimesSync(at, asSeconds(mtimeMs), asSeconds(mtimeMs))
    } catch (error) {
      throw asArchiveError(error, 'cannot get its mode and time', path)
    }
  }
}

/** A folder is moved into another one that has, perhaps, some of the same names. */
class Merge {
  readonly #from: Place
  readonly #to: Place
  readonly #overwrite: boolean | MayOverwrite
  /** What is moved as it is, with all that is in it. */
  readonly #moves: string[] = []
  /** Folders that both have. */
  readonly #shared = new Set([''])

  constructor(from: Place, to: Place, overwrite: boolean | MayOverwrite) {
    this.#from = from
    this.#to = to
    this.#overwrite = overwrite
  }

  async run(folders: Folders): Promise<void> {
    await this.#plan('')
    for (const path of this.#moves) {
      try {
        renameSync(this.#from.at(path), this.#to.at(path))
      } catch (error) {
        throw asArchiveError(error, 'cannot be put into its place', path)
      }
    }
    finishFolders(this.#to, folders, (path) => !this.#shared.has(path))
  }

  async #plan(folder: string): Promise<void> {
    for (const entry of readdirSync(this.#from.enter(folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const found = lstatSync(this.#to.at(path), { throwIfNoEntry: false })
      if (found === undefined) this.#moves.push(path)
      else {
        const problem = clash(entry.isDirectory(), found)
        if (problem !== undefined) throw new ArchiveError(problem, path)
        if (entry.isDirectory()) {
          this.#shared.add(path)
          await this.#plan(path)
        } else if (await this.#may(path)) this.#moves.push(path)
      }
    }
  }

  async #may(path: string): Promise<boolean> {
    if (typeof this.#overwrite === 'function') return await this.#overwrite(path)
    if (!this.#overwrite) throw new ArchiveError(EXISTS, path)
    return true
  }
}
