import type { ArchiveProgress, FileSummary } from './entry.js'

export interface PackOptions {
  /** True for a file that the receiver has: it is left out. Asked once for each file. */
  readonly skip?: (file: FileSummary) => boolean
  /** Something is left out: a sentence that names it. */
  readonly warn?: (sentence: string) => void
  /** Called after each file and each piece of a large one: often, so it has to be quick. */
  readonly progress?: (progress: ArchiveProgress) => void
}

/** Whether the file that is at this path below the target is replaced. */
export type MayOverwrite = (path: string) => boolean | Promise<boolean>

export interface UnpackOptions {
  /**
   * The folder of the archive that becomes the target: `photos/a` is then TARGET/a, and an entry outside of `photos` is an
   * error. Without it `photos/a` is TARGET/photos/a.
   */
  readonly root?: string
  /**
   * What happens with files that are in the target already. `false` (the default) refuses the archive at the first of them;
   * a function is asked by `commit`, and what it does not allow stays as it is.
   */
  readonly overwrite?: boolean | MayOverwrite
  /** Goes on in a part folder that is there: files in it with the same size and time are left as they are. */
  readonly resume?: boolean
  /** Most bytes of content. Default: no limit. */
  readonly maxBytes?: number
  /** Most files, folders and links: their names are kept in memory, some 100 bytes each. Default: 2 million. */
  readonly maxEntries?: number
  /** Something could not be made as the archive says, and does without: a sentence that names it. */
  readonly warn?: (sentence: string) => void
  /** Called after each file and each piece of a large one: often, so it has to be quick. */
  readonly progress?: (progress: ArchiveProgress) => void
}
