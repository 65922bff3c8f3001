import { accessSync, constants } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { asArchiveError, codeOf } from './archive-error.js'
import { END, HeaderWriter } from './header-writer.js'
import type { PackOptions } from './options.js'
import { isSkipped } from './skip.js'
import { padding } from './ustar.js'
import { type Found, walk } from './walk.js'

/** What `pack` is going to send, if nothing changes until then. */
export interface Survey {
  readonly files: number
  /** Files that `skip` leaves out, because the receiver has them. */
  readonly filesSkipped: number
  readonly folders: number
  readonly links: number
  /** Bytes of content. */
  readonly bytes: number
  /** Bytes of content that are left out. */
  readonly bytesSkipped: number
  /** Bytes of the whole tar stream. */
  readonly length: number
  /** All that was found, for `pack`, as long as it is as good as new; undefined when it is too old or too much. */
  readonly found: () => readonly Found[] | undefined
}

/** Longest that other work waits, in milliseconds. */
const TURN_MS = 20
/** So much is remembered, some 300 bytes each, for so long, in milliseconds: who packs looks again after that. */
const MOST_FOUND = 50_000
const GOOD_MS = 5000

/**
 * Counts what these paths have in them, and looks whether all of it may be read.
 * @throws ArchiveError that names the first file that cannot be sent
 */
export async function survey(paths: readonly string[], options: Omit<PackOptions, 'progress'> = {}): Promise<Survey> {
  const counts = { files: 0, filesSkipped: 0, folders: 0, links: 0, bytes: 0, bytesSkipped: 0, length: END.length }
  const headers = new HeaderWriter()
  let remembered: Found[] | undefined = []
  const beganAt = performance.now()
  let turnEnds = beganAt + TURN_MS
  for (const found of walk(paths, options.warn ?? (() => {}))) {
    const { entry, file } = found
    if (remembered?.length === MOST_FOUND) remembered = undefined
    remembered?.push(found)
    if (isSkipped(entry, options.skip)) {
      counts.filesSkipped++
      counts.bytesSkipped += entry.size
    } else if (entry.kind !== 'file' || isReadable(file)) {
      if (entry.kind === 'file') counts.files++
      else if (entry.kind === 'folder') counts.folders++
      else counts.links++
      counts.bytes += entry.size
      counts.length += headers.write(entry).length + entry.size + padding(entry.size)
    }
    if (performance.now() > turnEnds) {
      await setImmediate()
      turnEnds = performance.now() + TURN_MS
    }
  }
  const isGood = () => performance.now() - beganAt < GOOD_MS
  return { ...counts, found: () => (isGood() ? remembered : undefined) }
}

/** False for a file that has vanished. */
function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw asArchiveError(error, 'cannot be read', file)
  }
}
