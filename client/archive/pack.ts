import { setImmediate } from 'node:timers/promises'
import type { Entry } from './entry.js'
import { END, HeaderWriter } from './header-writer.js'
import { OpenFile } from './open-file.js'
import type { PackOptions } from './options.js'
import { isSkipped } from './skip.js'
import { Slab } from './slab.js'
import { padding } from './ustar.js'
import { type Found, walk } from './walk.js'

/** Longest that other work waits while nothing comes out, in milliseconds. */
const TURN_MS = 20

/**
 * A tar archive of files and folders, made while it is read. It fails with an ArchiveError that names a file: one that cannot be read,
 * or that became shorter than its header says. What has come of the archive then has no end, and everybody who unpacks it
 * sees that.
 * @param found what is below the paths, for who has looked already
 */
export async function* pack(
  paths: readonly string[],
  options: PackOptions = {},
  found?: Iterable<Found>,
): AsyncGenerator<Buffer, void, undefined> {
  const { skip, progress = () => {}, warn = () => {} } = options
  const headers = new HeaderWriter()
  const slab = new Slab()
  let [files, bytes] = [0, 0]
  let turnEnds = performance.now() + TURN_MS
  for (const { entry: seen, file: path } of found ?? walk(paths, warn)) {
    if (performance.now() > turnEnds) {
      await setImmediate()
      turnEnds = performance.now() + TURN_MS
    }
    if (seen.kind !== 'file') {
      yield* slab.append(headers.write(seen))
      continue
    }
    if (isSkipped(seen, skip)) continue
    const file = OpenFile.open(path, seen, warn)
    if (file === undefined) continue
    try {
      const { size } = file.entry
      yield* slab.append(headers.write(file.entry))
      if (size <= Slab.SIZE) {
        yield* slab.reserve(size)
        file.readSmall(slab.claim(size))
        bytes += size
      } else {
        yield* slab.flush()
        for await (const piece of file.pieces()) {
          bytes += piece.length
          progress({ files, bytes })
          yield piece
        }
      }
      yield* slab.append(zeros(file.entry))
    } finally {
      file.close()
    }
    progress({ files: ++files, bytes })
  }
  yield* slab.append(END)
  yield* slab.flush()
}

function zeros({ size }: Entry): Buffer {
  return END.subarray(0, padding(size))
}
