import { safeText } from '../safe-text.js'

/** Most characters of a name that an error shows. */
const SHOWN = 200

/** A name in quotes, fit for a terminal. */
export function quoted(name: string): string {
  const shown = name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name
  return `"${safeText(shown, true)}"`
}

/** Why an archive is not made, or not unpacked: one sentence that names the entry, if it is about one. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
  /** The entry as the archive names it, or the path of the file; undefined when it is about all of it. */
  readonly entry: string | undefined

  constructor(problem: string, entry?: string, cause?: unknown) {
    super(entry === undefined ? problem : `${quoted(entry)} ${problem}`, cause === undefined ? {} : { cause })
    this.entry = entry
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EIO: 'the disk failed',
  ENAMETOOLONG: 'the name is too long for this disk',
  ENOENT: 'it is not there',
  ENOTDIR: 'a file is where a folder should be',
  EISDIR: 'a folder is where a file should be',
  EEXIST: 'it exists already',
  ELOOP: 'a link is in its place',
  EMFILE: 'too many files are open',
  EFBIG: 'it is too large for this disk',
}

/** The code of a failed system call, `ENOSPC`; undefined when it is another kind of error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** A failed system call as a sentence about an entry. What is an ArchiveError already stays as it is. */
export function asArchiveError(error: unknown, what: string, entry: string): Error {
  const code = codeOf(error)
  if (error instanceof ArchiveError || code === undefined) return error as Error
  return new ArchiveError(`${what}: ${WORDS[code] ?? code}.`, entry, error)
}
