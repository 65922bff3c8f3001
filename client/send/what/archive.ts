import { basename, resolve } from 'node:path'
import type { FileSummary } from '../../archive/entry.js'
import { pack } from '../../archive/pack.js'
import { survey } from '../../archive/survey.js'
import type { Outgoing } from './outgoing.js'

export interface ArchiveOptions {
  /** Sentences for people on what is left out. */
  readonly warn: (sentence: string) => void
  /** True for a file that the receiver has. */
  readonly skip?: (file: FileSummary) => boolean
}

/** Files and folders, as a tar archive that is made on the way. @throws ArchiveError for what cannot be read */
export async function archiveOf(paths: readonly string[], { warn, skip }: ArchiveOptions): Promise<Outgoing> {
  const skipped = skip === undefined ? {} : { skip }
  const { files, bytes, length, found } = await survey(paths, { warn, ...skipped })
  const [only] = paths
  // The name that the folder has in the archive.
  const name = paths.length === 1 ? basename(resolve(only!)) : undefined
  return {
    description: { kind: 'tar', name, files, bytes },
    type: 'application/x-tar',
    fileName: `${name ?? 'files'}.tar`,
    // Something may change until it is read.
    length: undefined,
    about: length,
    label: name === undefined ? `${paths.length} files and folders` : `${name}/`,
    isLasting: true,
    open: () => pack(paths, skipped, found()),
  }
}
