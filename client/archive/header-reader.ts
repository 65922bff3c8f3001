import { isUtf8 } from 'node:buffer'
import { Header } from 'tar/header'
import { ArchiveError, quoted } from './archive-error.js'
import type { ByteSource } from './byte-source.js'
import type { Entry, EntryKind } from './entry.js'
import { BLOCK, padding } from './header-writer.js'
import { type PaxRecords, readPax } from './pax-reader.js'

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
      const header = this.#decoded(block)
      if (header === undefined) return await this.#end()
      this.#isFirst = false
      const type = header.typeKey
      if (type === 'x' || type === 'X') more = { ...more, ...readPax(await this.#extended(header)) }
      else if (type === 'L' || type === 'N') more.path = longName(await this.#extended(header))
      else if (type === 'K') more.linkpath = longName(await this.#extended(header))
      else if (type === 'g') refuseGlobal(readPax(await this.#extended(header)))
      else return entryOf(header, block, more)
    }
  }

  /** The header in a block; undefined for a block of zeros. */
  #decoded(block: Buffer): Header | undefined {
    let header: Header
    try {
      header = new Header(block, 0)
    } catch (error) {
      throw new ArchiveError('The archive is damaged: a header has a number that cannot be read.', undefined, error)
    }
    if (header.nullBlock) return undefined
    if (header.cksumValid) return header
    if (this.#isFirst) throw noArchive()
    throw new ArchiveError('The archive is damaged: a header does not have the checksum that it says.')
  }

  async #extended(header: Header): Promise<Buffer> {
    const { size } = header
    if (size === undefined) throw new ArchiveError('The archive is damaged: an extended header does not say its size.')
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

function entryOf(header: Header, block: Buffer, more: PaxRecords): RawEntry {
  const name = more.path ?? header.path ?? ''
  const kind = KINDS[header.typeKey]
  if (kind === undefined) {
    const type = String.fromCharCode(block[156]!)
    throw new ArchiveError(REFUSED[type] ?? `is of a type that is not known here, ${quoted(type)}.`, name)
  }
  if (more.path === undefined && !(textIn(block, 0, 100) && textIn(block, 345, 155))) {
    throw new ArchiveError('has a name that is not UTF-8.', name)
  }
  // With a name from an extended header node-tar has not seen the slash at its end.
  const isFolder = kind === 'folder' || (kind === 'file' && name.endsWith('/'))
  const said = more.size ?? sizeIn(header, block)
  if (said === undefined) throw new ArchiveError('has a size that cannot be read, or is negative.', name)
  if (kind !== 'file' && kind !== 'folder' && said !== 0) throw new ArchiveError('is a link with a content.', name)
  return {
    kind: isFolder ? 'folder' : kind,
    path: name,
    // The size of a folder is what its list of names has somewhere; nothing follows.
    size: isFolder ? 0 : said,
    mode: (header.mode ?? (isFolder ? 0o755 : 0o644)) & 0o777,
    mtimeMs: more.mtimeMs ?? header.mtime?.getTime() ?? 0,
    target: kind === 'link' || kind === 'hard link' ? (more.linkpath ?? header.linkpath ?? '') : '',
  }
}

/** The size in a block, if it is nothing but a number: node-tar, as C, reads a number up to what is none. */
function sizeIn(header: Header, block: Buffer): number | undefined {
  const isNumber = (block[124]! & 0x80) !== 0 || /^ *[0-7]*[ \0]*$/.test(block.toString('latin1', 124, 136))
  if (!isNumber) return undefined
  return header.size ?? (/^[ \0]*$/.test(block.toString('latin1', 124, 136)) ? 0 : undefined)
}

function textIn(block: Buffer, offset: number, length: number): boolean {
  const field = block.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return isUtf8(end === -1 ? field : field.subarray(0, end))
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

function isZero(piece: Buffer): boolean {
  for (const byte of piece) if (byte !== 0) return false
  return true
}

function noArchive(): ArchiveError {
  return new ArchiveError('This is no tar archive.')
}

export function cutOff(): ArchiveError {
  return new ArchiveError('The archive is cut off: it ends before its end.')
}
