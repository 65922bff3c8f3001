import { isUtf8 } from 'node:buffer'
import { ArchiveError, quoted } from './archive-error.js'
import type { ByteSource } from './byte-source.js'
import type { Entry, EntryKind } from './entry.js'
import { LATEST_MS, type PaxRecords, readPax } from './pax-reader.js'
import { BLOCK, type Decoded, decode, isZero, padding } from './ustar.js'

/** Most bytes of one extended header: names have 4 KiB at most, the rest is attributes that nobody reads here. */
const MOST_EXTENDED = 1 << 20
/** Most zeros behind the end. tar fills its last record, which has 10 KiB mostly. */
const MOST_ZEROS = 16 << 20

const KINDS: Readonly<Record<string, EntryKind>> = {
  '0': 'file',
  '7': 'file',
  '1': 'hard link',
  '2': 'link',
  '5': 'folder',
}

const REFUSED: Readonly<Record<string, string>> = {
  '3': 'is a character device, which is not unpacked.',
  '4': 'is a block device, which is not unpacked.',
  '6': 'is a named pipe, which is not unpacked.',
  S: 'is a sparse file in the old GNU format. Make the archive without --sparse.',
  M: 'is the second half of a file from another volume.',
  D: 'is a folder of an incremental backup, which is not unpacked.',
}

/** An entry as it stands in the archive: nothing has been checked of what its names say. */
export type RawEntry = Entry

/** Reads the headers of a tar archive: ustar, PAX, the long names of GNU, and the format before all of them. */
export class HeaderReader {
  readonly #source: ByteSource
  #isFirst = true

  constructor(source: ByteSource) {
    this.#source = source
  }

  /** Whether a whole header is here, so that `nextNow` can do without waiting. */
  get isHere(): boolean {
    return this.#source.has(BLOCK)
  }

  /**
   * The next entry; its content follows in the source, and then `padding(size)` bytes. Undefined at the end of the archive,
   * which has been read, and all behind it, too.
   * @throws ArchiveError for anything that is no archive, or not all of one
   */
  async next(): Promise<RawEntry | undefined> {
    let more: PaxRecords = {}
    for (;;) {
      if (!this.#source.has(BLOCK) && !(await this.#source.fill(BLOCK))) throw this.#isFirst ? noArchive() : cutOff()
      const block = this.#source.take(BLOCK)
      if (block[0] === 0 && isZero(block)) return await this.#end()
      const header = this.#decoded(block)
      const { type } = header
      if (type === 'x' || type === 'X') more = { ...more, ...readPax(await this.#extended(header)) }
      else if (type === 'L' || type === 'N') more.path = longName(await this.#extended(header))
      else if (type === 'K') more.linkpath = longName(await this.#extended(header))
      else if (type === 'g') refuseGlobal(readPax(await this.#extended(header)))
      else return entryOf(header, more)
    }
  }

  #decoded(block: Buffer): Decoded {
    const header = decode(block)
    if (header === undefined && this.#isFirst) throw noArchive()
    if (header === undefined) {
      throw new ArchiveError('The archive is damaged: a header does not have the checksum that it says.')
    }
    this.#isFirst = false
    return header
  }

  async #extended({ size }: Decoded): Promise<Buffer> {
    if (size === undefined || size < 0)
      throw new ArchiveError('The archive is damaged: an extended header does not say its size.')
    if (size > MOST_EXTENDED) {
      throw new ArchiveError(`The archive has an extended header of ${size} bytes; ${MOST_EXTENDED} are the most.`)
    }
    if (!(await this.#source.fill(size + padding(size)))) throw cutOff()
    const body = this.#source.take(size)
    this.#source.take(padding(size))
    return body
  }

  /** Behind the first of the two blocks of zeros. */
  async #end(): Promise<undefined> {
    if (!(await this.#source.fill(BLOCK))) throw cutOff()
    for (let zeros = BLOCK; await this.#source.fill(1); ) {
      const piece = this.#source.takeSome(1 << 16)
      zeros += piece.length
      if (zeros > MOST_ZEROS)
        throw new ArchiveError(`The archive goes on with more than ${MOST_ZEROS} zeros behind its end.`)
      if (!isZero(piece)) throw new ArchiveError('The archive goes on behind its end with what is no archive.')
    }
    return undefined
  }
}

function entryOf(header: Decoded, more: PaxRecords): RawEntry {
  const name = more.path ?? nameIn(header)
  const kind = KINDS[header.type]
  if (kind === undefined) {
    throw new ArchiveError(REFUSED[header.type] ?? `is of a type that is not known here, ${quoted(header.type)}.`, name)
  }
  const target = more.linkpath ?? header.link
  if (target === undefined) throw new ArchiveError('is a link to a name that is not UTF-8.', name)
  // Before there was a type for folders, a slash said it.
  const isFolder = kind === 'folder' || (kind === 'file' && name.endsWith('/'))
  const size = more.size ?? header.size
  if (size === undefined || size < 0) throw new ArchiveError('has a size that is no number, or is negative.', name)
  if (kind !== 'file' && kind !== 'folder' && size !== 0) throw new ArchiveError('is a link with a content.', name)
  return {
    kind: isFolder ? 'folder' : kind,
    path: name,
    // The size of a folder is what its list of names takes on some disk; nothing follows.
    size: isFolder ? 0 : size,
    mode: (header.mode ?? (isFolder ? 0o755 : 0o644)) & 0o777,
    mtimeMs: more.mtimeMs ?? timeIn(header, name),
    target: kind === 'link' || kind === 'hard link' ? target : '',
  }
}

function nameIn({ name, prefix }: Decoded): string {
  if (name === undefined || prefix === undefined) throw new ArchiveError('The archive has a name that is not UTF-8.')
  return prefix === '' ? name : `${prefix}/${name}`
}

function timeIn({ mtime = 0 }: Decoded, name: string): number {
  if (mtime * 1000 > LATEST_MS) throw new ArchiveError('has a time beyond the year 9999.', name)
  return mtime * 1000
}

function longName(body: Buffer): string {
  const end = body.indexOf(0)
  const name = end === -1 ? body : body.subarray(0, end)
  if (!isUtf8(name)) throw new ArchiveError('has a name that is not UTF-8.', name.toString('latin1'))
  return name.toString()
}

/** `git archive` writes its commit there. A name or a size for all that follow has no meaning. */
function refuseGlobal(records: PaxRecords): void {
  const { path, linkpath, size } = records
  if (path === undefined && linkpath === undefined && size === undefined) return
  throw new ArchiveError('The archive has a name or a size for all files that follow, which has no meaning.')
}

function noArchive(): ArchiveError {
  return new ArchiveError('This is no tar archive.')
}

export function cutOff(): ArchiveError {
  return new ArchiveError('The archive is cut off: it ends before its end.')
}
