import { ArchiveError } from './archive-error.js'
import { ByteSource } from './byte-source.js'
import { commit } from './commit.js'
import { EntryGuard } from './entry-guard.js'
import { foldingOf } from './folding.js'
import { HeaderReader } from './header-reader.js'
import type { UnpackOptions } from './options.js'
import { openPart, type Places, placesOf } from './part-folder.js'
import { Place } from './place.js'
import { TargetCheck } from './target.js'
import { type Folders, type Unpacked, Unpacker } from './unpacker.js'

export type { Unpacked }

const MOST_ENTRIES = 2_000_000

/** An archive on its way into a folder. */
export interface Unpacking {
  /**
   * All has come and lies in the part folder. Rejects with an ArchiveError for an archive that is refused or not whole, or that
   * cannot be written, and with the stream's own error.
   */
  readonly done: Promise<Unpacked>
  /**
   * Puts it into its place, when the caller knows that the stream was right. Waits for `done`.
   * @throws ArchiveError; the part folder is then left with what has not been moved
   */
  commit(): Promise<void>
  /** Gives up, and destroys the stream. The part folder stays, so that a later call can resume. */
  abort(): Promise<void>
}

/** Bytes of an archive. One that can be destroyed is, when nothing more is wanted of it. */
export type ByteStream = AsyncIterable<Buffer> & { destroy?(error?: Error): unknown }

/**
 * Unpacks a tar archive into a folder that nobody sees before `commit`.
 * @param stream read to its end, or destroyed. It may use the memory of a piece again once the second one after it is asked for
 * @param target the folder; made if it is not there
 */
export function unpack(stream: ByteStream, target: string, options: UnpackOptions = {}): Unpacking {
  let places: Places | undefined
  const folders: Folders = new Map()
  const run = async () => {
    places = placesOf(target)
    openPart(places.part, options.resume ?? false)
    const place = new Place(places.part)
    try {
      return await unpackInto(place, stream, places, folders, options)
    } finally {
      place.close()
    }
  }
  const done = run()
  done.catch(() => stream.destroy?.())
  return {
    done,
    commit: async () => {
      await done
      await commit(places!, folders, options.overwrite ?? false)
    },
    abort: async () => {
      stream.destroy?.(new ArchiveError('The unpacking was given up.'))
      await done.catch(() => {})
    },
  }
}

async function unpackInto(
  place: Place,
  stream: AsyncIterable<Buffer>,
  places: Places,
  folders: Folders,
  options: UnpackOptions,
): Promise<Unpacked> {
  const { root = '', maxBytes = Number.POSITIVE_INFINITY, maxEntries = MOST_ENTRIES } = options
  const guard = new EntryGuard(root, process.platform === 'win32', foldingOf(place.root), { maxBytes, maxEntries })
  const existing = places.exists ? new TargetCheck(places.target, options.overwrite ?? false) : undefined
  const source = new ByteSource(stream)
  const reader = new HeaderReader(source)
  const unpacker = new Unpacker(place, source, folders, options)
  try {
    for (let raw = await reader.next(); raw !== undefined; raw = await reader.next()) {
      const entry = guard.admit(raw)
      existing?.check(entry)
      await unpacker.put(entry)
    }
    return unpacker.result
  } finally {
    await source.close()
  }
}
