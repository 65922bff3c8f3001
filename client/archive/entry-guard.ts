import { ArchiveError } from './archive-error.js'
import type { Entry } from './entry.js'
import { depthOf, linkProblem, pathOf } from './entry-name.js'
import { isReserved } from './part-folder.js'

/** What a disk does not tell apart. */
export interface Folding {
  /** `A` and `a` are one name. */
  readonly case: boolean
  /** `é` and `e` with an accent behind it are one name. */
  readonly unicode: boolean
}

export interface Limits {
  readonly maxBytes: number
  readonly maxEntries: number
}

/**
 * Looks at each entry before anything is done for it, and remembers the names: the second entry of a name would replace what
 * the first one brought. Folders may come twice.
 */
export class EntryGuard {
  readonly #root: string
  readonly #windows: boolean
  readonly #folding: Folding
  readonly #limits: Limits
  /** Folded path of what is no folder. */
  readonly #names = new Set<string>()
  /** Folded path of each folder, and how it was written. */
  readonly #folders = new Map<string, string>()
  #entries = 0
  #bytes = 0

  /** @param root the folder of the archive that is unpacked; empty for all of it */
  constructor(root: string, windows: boolean, folding: Folding, limits: Limits) {
    this.#root = root
    this.#windows = windows
    this.#folding = folding
    this.#limits = limits
  }

  /**
   * The entry with its path below the target, and for a hard link that of the entry it names.
   * @throws ArchiveError
   */
  admit(raw: Entry): Entry {
    this.#count(raw)
    const path = this.#below(raw.path)
    if (path === '' && raw.kind !== 'folder')
      throw new ArchiveError('is the folder itself, and yet no folder.', raw.path)
    if (isReserved(path)) throw new ArchiveError('has a name that pipegate itself uses there.', raw.path)
    const target = this.#target(raw, path)
    this.#remember(raw, path)
    return { ...raw, path, target }
  }

  /** Whether an entry that was no folder had this path. */
  had(path: string): boolean {
    return this.#names.has(this.#fold(path))
  }

  #count({ size, path }: Entry): void {
    const { maxBytes, maxEntries } = this.#limits
    this.#bytes += size
    this.#entries++
    if (this.#bytes > maxBytes) throw new ArchiveError(`is too much: the limit is ${maxBytes} bytes in all.`, path)
    if (this.#entries > maxEntries) throw new ArchiveError(`is one too many: the limit is ${maxEntries} entries.`, path)
  }

  #below(name: string): string {
    const path = pathOf(name, this.#windows)
    if (this.#root === '' || path === '') return path
    if (path === this.#root) return ''
    if (path.startsWith(`${this.#root}/`)) return path.slice(this.#root.length + 1)
    throw new ArchiveError(`does not lie in "${this.#root}", as the sender said that all does.`, name)
  }

  #target(raw: Entry, path: string): string {
    if (raw.kind === 'link') {
      const problem = linkProblem(raw.target, depthOf(path))
      if (problem !== undefined) throw new ArchiveError(problem, raw.path)
      return raw.target
    }
    if (raw.kind !== 'hard link') return ''
    const target = this.#below(raw.target)
    if (!this.had(target)) throw new ArchiveError(`is a hard link to what did not come before it.`, raw.path)
    return target
  }

  #remember(raw: Entry, path: string): void {
    const key = this.#fold(path)
    const known = this.#folders.get(key)
    if (raw.kind === 'folder') {
      if (this.#names.has(key) || (known !== undefined && known !== path)) throw this.#twice(raw)
      this.#folders.set(key, path)
    } else {
      if (this.#names.has(key) || known !== undefined) throw this.#twice(raw)
      this.#names.add(key)
    }
  }

  #twice(raw: Entry): ArchiveError {
    const folds = this.#folding.case || this.#folding.unicode
    const why = folds ? ', or with a name that this disk does not tell from it' : ''
    return new ArchiveError(`is in the archive twice${why}.`, raw.path)
  }

  #fold(path: string): string {
    const composed = this.#folding.unicode ? path.normalize('NFC') : path
    return this.#folding.case ? composed.toLowerCase() : composed
  }
}
