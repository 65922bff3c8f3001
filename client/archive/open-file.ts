import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { ArchiveError, asArchiveError, codeOf, quoted } from './archive-error.js'
import { type Entry, wholeMilliseconds } from './entry.js'

/** What was a file a moment ago may be a link now, or a pipe that would wait for somebody to write. */
const TO_READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Bytes of one read of a large file. */
const PIECE = 1 << 20

const readLater = promisify(read)

/** A file that is read for an archive: exactly as many bytes as it had when it was opened. */
export class OpenFile {
  /** As the file is now that it is open: nobody can exchange it any more. */
  readonly entry: Entry
  readonly #path: string
  readonly #file: number
  #reading: Promise<unknown> | undefined

  private constructor(path: string, file: number, entry: Entry) {
    this.#path = path
    this.#file = file
    this.entry = entry
  }

  /**
   * @param seen what it was when its folder was read
   * @returns undefined for a file that has vanished
   * @throws ArchiveError
   */
  static open(path: string, seen: Entry, warn: (sentence: string) => void): OpenFile | undefined {
    let file: number
    try {
      file = openSync(path, TO_READ)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw asArchiveError(error, 'cannot be read', path)
      warn(`${quoted(path)} is left out: it has vanished.`)
      return undefined
    }
    const stats = fstatSync(file)
    if (stats.isFile()) {
      const { size, mode, mtimeMs } = stats
      return new OpenFile(path, file, { ...seen, size, mode: mode & 0o777, mtimeMs: wholeMilliseconds(mtimeMs) })
    }
    closeSync(file)
    throw new ArchiveError('was a file, and is none any more.', path)
  }

  /** Fills the buffer, which is as large as the file. */
  readSmall(into: Buffer): void {
    for (let filled = 0; filled < into.length; ) {
      const count = this.#tried(() => readSync(this.#file, into, filled, into.length - filled, null))
      if (count === 0) throw this.#shorter(filled)
      filled += count
    }
  }

  /** The content of a large file; the next piece is read while this one is on its way. */
  async *pieces(): AsyncGenerator<Buffer, void, undefined> {
    const { size } = this.entry
    let next = this.#read(0)
    for (let at = 0; at < size; ) {
      const piece = await next
      if (piece.length === 0) throw this.#shorter(at)
      at += piece.length
      if (at < size) next = this.#read(at)
      yield piece
    }
  }

  #read(at: number): Promise<Buffer> {
    const wanted = Math.min(PIECE, this.entry.size - at)
    const reading = readLater(this.#file, Buffer.allocUnsafeSlow(wanted), 0, wanted, at).then(
      ({ bytesRead, buffer }) => buffer.subarray(0, bytesRead),
      (error) => {
        throw asArchiveError(error, 'cannot be read', this.#path)
      },
    )
    // Nobody may come for it, when the stream is given up.
    this.#reading = reading.catch(() => {})
    return reading
  }

  /** Closes it, but not under a read that is on its way: the number could belong to another file by then. */
  close(): void {
    if (this.#reading === undefined) closeSync(this.#file)
    else void this.#reading.then(() => closeSync(this.#file))
  }

  #tried<T>(call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw asArchiveError(error, 'cannot be read', this.#path)
    }
  }

  #shorter(at: number): ArchiveError {
    return new ArchiveError(`became shorter while it was sent: ${at} bytes instead of ${this.entry.size}.`, this.#path)
  }
}
