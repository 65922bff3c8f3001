export type EntryKind = 'file' | 'folder' | 'link' | 'hard link'

/** What an archive says about one file, folder or link. */
export interface Entry {
  readonly kind: EntryKind
  /** Its place, with slashes, without one at either end; empty for the folder itself that is unpacked into. */
  readonly path: string
  /** Bytes of content that follow; 0 for all but files. */
  readonly size: number
  /** The nine permission bits. */
  readonly mode: number
  /** When it was changed last: milliseconds since 1970, whole. */
  readonly mtimeMs: number
  /** What a link points to; the entry that a hard link is another name of. Empty for the others. */
  readonly target: string
}

/** A file, as sender and receiver compare it when they go on with a transfer that was cut off. */
export interface FileSummary {
  /** As in the archive. */
  readonly path: string
  readonly size: number
  /** Whole milliseconds since 1970. */
  readonly mtimeMs: number
  /** The nine permission bits. */
  readonly mode: number
}

/** How far it has come. */
export interface ArchiveProgress {
  /** Files that are done. */
  readonly files: number
  /** Bytes of content: what is inside of files, without what the archive adds. */
  readonly bytes: number
}

/** A file's time as archives carry it here: whole milliseconds, always rounded down. */
export function wholeMilliseconds(mtimeMs: number): number {
  return Math.floor(mtimeMs)
}

/**
 * Milliseconds as the seconds that `utimes` takes. A double holds the time of today in steps of a quarter of a microsecond, and
 * what it loses could be a whole millisecond once it is rounded down again: half a microsecond more keeps it.
 * Node takes a negative number for "now", but not a negative text.
 */
export function asSeconds(mtimeMs: number): number | string {
  const seconds = (mtimeMs + 0.0005) / 1000
  return seconds < 0 ? String(seconds) : seconds
}
