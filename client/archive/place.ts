import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { ArchiveError, asArchiveError, codeOf } from './archive-error.js'

const AS_FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

/** Linux lets a path begin at an open folder. */
const HAS_DESCRIPTORS = process.platform === 'linux' && existsSync('/proc/self/fd')

/**
 * A folder below which files are made, and nowhere else. No folder on the way may be a link, not even one that somebody puts there in
 * this moment. On Linux that holds strictly: a path begins with an open folder (`/proc/self/fd/N/name`, what `openat` does),
 * and every step to it was opened with O_NOFOLLOW. Elsewhere Node has no such way: every step is looked at, and the real path
 * compared, before each use.
 */
export class Place {
  readonly #root: string
  readonly #realRoot: string
  #rootFolder: number | undefined
  /** The folder that was entered last, open. */
  #folder: number | undefined
  #entered: string | undefined

  /**
   * @param root a folder that exists and is no link
   * @param byDescriptor whether paths begin at open folders
   */
  constructor(root: string, byDescriptor = HAS_DESCRIPTORS) {
    this.#root = root
    if (!byDescriptor) {
      if (!lstatSync(root).isDirectory()) throw new ArchiveError('is no folder.', root)
      this.#realRoot = realpathSync(root)
      return
    }
    this.#realRoot = root
    try {
      this.#rootFolder = openSync(root, AS_FOLDER)
    } catch (error) {
      throw asArchiveError(error, 'cannot be opened as a folder', root)
    }
  }

  /** A path of the root itself, for names directly in it. */
  get root(): string {
    return this.#rootFolder === undefined ? this.#root : `/proc/self/fd/${this.#rootFolder}`
  }

  /** Where a name in this folder is to be opened. Valid until the next call. @param path as in an archive; the last step may be anything */
  at(path: string): string {
    const slash = path.lastIndexOf('/')
    return `${this.enter(slash === -1 ? '' : path.slice(0, slash), path)}/${path.slice(slash + 1)}`
  }

  /**
   * A path of this folder, which is made when it is not there. Valid until the next call.
   * @param entry for whom, to be named in an error
   * @throws ArchiveError when something on the way is no folder
   */
  enter(path: string, entry = path): string {
    if (path === '') return this.root
    try {
      return this.#rootFolder === undefined ? this.#walk(path) : this.#open(path)
    } catch (error) {
      const what =
        codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ELOOP'
          ? 'lies below what is no folder, but a file or a link'
          : 'cannot be made'
      throw asArchiveError(error, what, entry)
    }
  }

  #open(path: string): string {
    if (this.#entered === path) return `/proc/self/fd/${this.#folder}`
    const isBelow = this.#entered !== undefined && path.startsWith(`${this.#entered}/`)
    const steps = (isBelow ? path.slice(this.#entered!.length + 1) : path).split('/')
    let at = isBelow ? this.#folder! : this.#rootFolder!
    let isOwn = false
    try {
      for (const step of steps) {
        const next = openFolder(`/proc/self/fd/${at}/${step}`)
        if (isOwn) closeSync(at)
        at = next
        isOwn = true
      }
    } catch (error) {
      if (isOwn) closeSync(at)
      throw error
    }
    this.#leave()
    this.#folder = at
    this.#entered = path
    return `/proc/self/fd/${at}`
  }

  #walk(path: string): string {
    let at = this.#root
    for (const step of path.split('/')) {
      at = join(at, step)
      makeFolder(at)
      if (!lstatSync(at).isDirectory())
        throw new ArchiveError('is no folder, but a file or a link; entries lie below it.', path)
    }
    if (realpathSync(at) !== join(this.#realRoot, ...path.split('/'))) {
      throw new ArchiveError(
        `does not lie where it should: a folder above it was replaced by a link${sep === '/' ? '' : ' or a junction'}.`,
        path,
      )
    }
    return at
  }

  #leave(): void {
    if (this.#folder !== undefined) closeSync(this.#folder)
    this.#folder = undefined
    this.#entered = undefined
  }

  close(): void {
    this.#leave()
    if (this.#rootFolder !== undefined) closeSync(this.#rootFolder)
    this.#rootFolder = undefined
  }
}

/** Opens a folder, no link; makes it first when it is not there. Nobody else may look into it before it is whole. */
function openFolder(path: string): number {
  try {
    return openSync(path, AS_FOLDER)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    makeFolder(path)
    return openSync(path, AS_FOLDER)
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
